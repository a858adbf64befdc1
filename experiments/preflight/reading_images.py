"""Reading every classification image that a profile names, without leaving anything behind."""

import tempfile
from pathlib import Path

from experiments.config.images import AnyImages, Cifar10Config, ImageFolder, TorchvisionImages
from experiments.datasets import cifar10
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.loading import load_images
from experiments.datasets.torchvision_images import FOLDER, NotThere, can_download
from experiments.preflight.folder_of_images import see_folder
from experiments.preflight.seen import Progress, Seen, SeenImages


def see(config: AnyImages, root: Path, downloads: Path, progress: Progress) -> SeenImages:
    """Read all images; paths in `config` start at `root`.

    Raises:
        UserError: if images that are not a user's own cannot be used.
    """
    match config:
        case ImageFolder():
            return see_folder(config, root, progress)
        case TorchvisionImages():
            return _torchvision(config, root, downloads, progress)
        case Cifar10Config() if not cifar10.is_at_hand(downloads):
            absent = "CIFAR-10 is not on this machine yet, so that its images were not read."
            return SeenImages("CIFAR-10", own=False, absent=absent)
        case _:
            what = "CIFAR-10" if isinstance(config, Cifar10Config) else "Drawn shapes"
            images = load_images(config, root, downloads, Path(), _silent)
            return _loaded(what, images, progress)


def _silent(line: str) -> None: ...


def _torchvision(config: TorchvisionImages, root: Path, downloads: Path, progress: Progress) -> SeenImages:
    """Let torchvision load what is there: where a folder is named it never downloads."""
    place = config.folder or str((downloads / FOLDER).absolute())
    named = config.model_copy(update={"folder": place})
    downloads.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads.parent, prefix=".check-") as ready:
        try:
            images = load_images(named, root, downloads, Path(ready) / "prepared", _silent)
        except NotThere:
            if config.folder is None and can_download(config.name):
                absent = f"{config.name} is not on this machine yet, so that its images were not read."
                return SeenImages(config.name, own=False, absent=absent)
            raise
        return _loaded(config.name, images, progress)


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
