"""Reading every image in a user's own folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.checking.seen import Progress, Seen, SeenImages
from experiments.checking.wording import such_as
from experiments.datasets import image_folder
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.pictures import FilePictures, decode, digest, pictures_in
from experiments.datasets.prepared import square
from experiments.located import located
from experiments.sections.images import ImageFolder


def see_folder(section: ImageFolder, root: Path, few: int, progress: Progress) -> SeenImages:
    """Read all images of a folder, or all pictures in it if it is not structured as it should be."""
    folder, what = located(root, section.folder), f"The folder {section.folder}"
    if not folder.is_dir():
        missing = f"there is no folder {folder}, which images.folder names"
        return SeenImages(what, own=True, structure=(missing,))
    problems = image_folder.problems_of(section, root)
    split = None if problems else image_folder.split_of(section, root)
    if split:
        files = [(name, part, label) for part in ("train", "test") for name, label in getattr(split, part)]
    else:
        files = [(name, "", 0) for name in pictures_in(folder)]
    images, damaged = [], []
    squares: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for done, (name, part, label) in enumerate(files, start=1):
        try:
            pixels = decode(folder / name)
        except ValueError as error:
            damaged.append(
                f"The image {name!r} in {section.folder} is of no use, since {error}: place it anew or "
                "remove it."
            )
        else:
            images.append(Seen(name, part, label, bytes.fromhex(digest(pixels)), min(pixels.shape[:2])))
            if part and len(squares[part]) < few:
                squares[part].append(square(pixels, section.size))
        progress(done, len(files))
    return SeenImages(
        what,
        own=True,
        classes=split.classes if split else (),
        images=tuple(images),
        structure=tuple(problems),
        damaged=tuple(damaged),
        idle=tuple(_idle(folder, section)),
        few=_few(split, images, squares) if split and all(squares.values()) else None,
    )


def _idle(folder: Path, section: ImageFolder) -> list[str]:
    """Name the folders that stand where a class's would and hold no image."""
    parts = [folder / name for name in ("train", *image_folder.TEST_FOLDERS) if (folder / name).is_dir()]
    empty = [
        path.relative_to(folder).as_posix()
        for place in (parts if len(parts) > 1 else [folder])
        for path in sorted(place.iterdir())
        if path.is_dir() and not path.name.startswith(".") and not pictures_in(path)
    ]
    return (
        [f"Folders in {section.folder} without an image, which make no class: {such_as(empty)}."]
        if empty
        else []
    )


def _few(
    split: image_folder.Split, images: Sequence[Seen], squares: dict[str, list[np.ndarray]]
) -> ClassifiedImages:
    chosen = {
        part: [image for image in images if image.part == part][: len(own)] for part, own in squares.items()
    }
    pictures = {
        part: FilePictures(
            split.folder,
            [image.name for image in own],
            np.stack([np.frombuffer(image.digest, np.uint8) for image in own]),
        )
        for part, own in chosen.items()
    }
    labels = {part: np.array([image.label for image in own], dtype=np.int64) for part, own in chosen.items()}
    return ClassifiedImages(
        classes=split.classes,
        train_images=np.stack(squares["train"]),
        train_labels=labels["train"],
        test_images=np.stack(squares["test"]),
        test_labels=labels["test"],
        train_originals=pictures["train"],
        test_originals=pictures["test"],
    )
