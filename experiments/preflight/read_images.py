"""Reading every classification image that a profile names, without leaving anything behind."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.images import AnyImages, Cifar10Config, ImageFolder, TorchvisionImages
from experiments.datasets import cifar10, image_folder
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.listing import listing, sentences
from experiments.datasets.loading import load_images
from experiments.datasets.pictures import decode, digest
from experiments.datasets.torchvision_images import NotThere, can_download, place_of

Progress = Callable[[int, int], None]
"""Called with the number of images or photos that are read and their total."""


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image that could be read; `part` is "train" or "test", or empty where nothing says which.

    `label` indexes the classes. `side` is the shorter side in pixels, None where it was not looked at.
    """

    name: str
    part: str
    label: int
    digest: bytes
    side: int | None


@dataclass(frozen=True)
class ReadImages:
    """All images, as far as they could be read.

    `own` says that they are a user's own files, which can be put right. `structure` and `damaged` say what is
    wrong, a phrase or sentence each; `unused`, what lies there and is not used; `absent`, that there is
    nothing to read yet, which is no problem.
    """

    what: str
    own: bool
    classes: tuple[str, ...] = ()
    images: tuple[ReadImage, ...] = field(default=(), repr=False)
    structure: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    absent: str | None = None

    def counts(self, part: str) -> Counter[int]:
        """Return the number of images of a part by their label."""
        return Counter(image.label for image in self.images if image.part == part)


def read_images(config: AnyImages, root: Path, downloads: Path, progress: Progress) -> ReadImages:
    """Read all images, among the training images those kept for validation; paths start at `root`.

    Raises:
        UserError: if images that are not a user's own cannot be used.
    """
    config = config.model_copy(update={"validation": 0})
    match config:
        case ImageFolder():
            return _folder(config, root, progress)
        case TorchvisionImages():
            return _torchvision(config, root, downloads, progress)
        case Cifar10Config() if not cifar10.is_at_hand(downloads):
            return _absent("CIFAR-10")
        case _:
            what = "CIFAR-10" if isinstance(config, Cifar10Config) else "Drawn shapes"
            images = load_images(config, root, downloads, Path(), lambda line: None)
            return _loaded(what, images, progress)


def _absent(what: str) -> ReadImages:
    absent = f"{what} is not on this machine yet, so that its images were not read."
    return ReadImages(what, own=False, absent=absent)


def _folder(config: ImageFolder, root: Path, progress: Progress) -> ReadImages:
    """Read all images of a user's folder, or all pictures in it if it is not structured as it should be."""
    folder, what = resolve_path(root, config.folder), f"The folder {config.folder}"
    split, problems = image_folder.examine(config, root)
    if not folder.is_dir():
        return ReadImages(what, own=True, structure=tuple(problems))
    if problems:
        files = [(name, "", 0) for name in listing(folder).pictures]
    else:
        files = [(name, part, label) for part in ("train", "test") for name, label in getattr(split, part)]
    images, damaged = [], []
    for done, (name, part, label) in enumerate(files, start=1):
        try:
            pixels = decode(folder / name)
        except ValueError as error:
            damaged.append(
                f"The image {name!r} in {config.folder} is of no use, since {error}: place it anew or "
                "remove it."
            )
        else:
            images.append(ReadImage(name, part, label, bytes.fromhex(digest(pixels)), min(pixels.shape[:2])))
        progress(done, len(files))
    return ReadImages(
        what,
        own=True,
        classes=() if problems else split.classes,
        images=tuple(images),
        structure=tuple(problems),
        damaged=tuple(damaged),
        unused=tuple(sentences(split.unused, config.folder)),
    )


def _torchvision(config: TorchvisionImages, root: Path, downloads: Path, progress: Progress) -> ReadImages:
    """Let torchvision load what is there: where a folder is named it never downloads."""
    place = str(place_of(config, root, downloads).absolute())
    named = config.model_copy(update={"folder": place})
    downloads.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads.parent, prefix=".check-") as ready:
        try:
            images = load_images(named, root, downloads, Path(ready) / "prepared", lambda line: None)
        except NotThere:
            if config.folder is None and can_download(config.name):
                return _absent(config.name)
            raise
        return _loaded(config.name, images, progress)


def _loaded(what: str, images: ClassifiedImages, progress: Progress) -> ReadImages:
    total = len(images.train_labels) + len(images.test_labels)
    # Arrays are all of one size; others would have to be decoded again to know theirs.
    side = None if images.train_originals else min(images.train_images.shape[1:3])
    read: list[ReadImage] = []
    for part, pictures, labels in (
        ("train", images.train_pictures, images.train_labels),
        ("test", images.test_pictures, images.test_labels),
    ):
        for position, label in enumerate(labels.tolist()):
            found = bytes.fromhex(pictures.digest(position))
            read.append(ReadImage(f"{part}-{position}", part, label, found, side))
            progress(len(read), total)
    return ReadImages(what, own=False, classes=images.classes, images=tuple(read))
