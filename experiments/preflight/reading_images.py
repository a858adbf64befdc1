"""Reading every classification image that a profile names, without leaving anything behind."""

import tempfile
from pathlib import Path

from experiments.datasets import cifar10
from experiments.datasets.classified import load_images
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.torchvision_images import FOLDER, NotThere, can_download
from experiments.preflight.folder_of_images import see_folder
from experiments.preflight.seen import Progress, Seen, SeenImages
from experiments.sections.images import AnyImages, Cifar10Section, ImageFolder, TorchvisionImages


def see(section: AnyImages, root: Path, downloads: Path, progress: Progress) -> SeenImages:
    """Read all images; paths in `section` start at `root`.

    Raises:
        UserError: if images that are not a user's own cannot be used.
    """
    match section:
        case ImageFolder():
            return see_folder(section, root, progress)
        case TorchvisionImages():
            return _torchvision(section, root, downloads, progress)
        case Cifar10Section() if not cifar10.is_at_hand(downloads):
            absent = "CIFAR-10 is not on this machine yet, so that its images were not read."
            return SeenImages("CIFAR-10", own=False, absent=absent)
        case _:
            what = "CIFAR-10" if isinstance(section, Cifar10Section) else "Drawn shapes"
            images = load_images(section, root, downloads, Path(), _silent)
            return _loaded(what, images, progress)


def _silent(line: str) -> None: ...


def _torchvision(section: TorchvisionImages, root: Path, downloads: Path, progress: Progress) -> SeenImages:
    """Let torchvision load what is there: where a folder is named it never downloads."""
    place = section.folder or str((downloads / FOLDER).absolute())
    named = section.model_copy(update={"folder": place})
    downloads.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads.parent, prefix=".check-") as ready:
        try:
            images = load_images(named, root, downloads, Path(ready) / "prepared", _silent)
        except NotThere:
            if section.folder is None and can_download(section.name):
                absent = f"{section.name} is not on this machine yet, so that its images were not read."
                return SeenImages(section.name, own=False, absent=absent)
            raise
        return _loaded(section.name, images, progress)


def _loaded(what: str, images: ClassifiedImages, progress: Progress) -> SeenImages:
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
    return SeenImages(what, own=False, classes=images.classes, images=tuple(seen))
