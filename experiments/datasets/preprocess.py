"""Pictures of any size as one array on disk, made once: what networks that are trained from scratch see."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image, ImageOps

from experiments.datasets.images import ClassifiedImages
from experiments.datasets.pictures import Pictures, digest
from pipeline.files import keep, kept, sha256_of

_ABOUT = "whole.json"
"""Written last, with the SHA-256 of each file: a folder without it, or with another file, is not whole."""

Read = Callable[[str, int], np.ndarray]
"""Returns the picture of a part at a position, or raises ValueError with the reason why it cannot."""


def preprocess(
    folder: Path,
    classes: tuple[str, ...],
    labels: dict[str, np.ndarray],
    *,
    size: int,
    read: Read,
    failed: Callable[[list[str]], Exception],
) -> ClassifiedImages:
    """Return images at `size` pixels square, mapped from `folder`, where they are made once; and originals.

    `labels`, by part ("train", "validation", "test"), tell how many pictures `read` can be asked for. Should
    a file be gone or altered, all are made again.
    `failed` makes the exception to raise from all reasons why a picture could not be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not _is_whole(folder):
            (folder / _ABOUT).unlink(missing_ok=True)
            reasons = [
                reason for part, own in labels.items() for reason in _make(folder, part, len(own), size, read)
            ]
            if reasons:
                raise failed(reasons)
            hashes = {file.name: sha256_of(file) for file in sorted(folder.glob("*.npy"))}
            keep(folder / _ABOUT, json.dumps(hashes).encode())
    originals = {
        part: Pictures(partial(read, part), len(own), _map(folder, part, "digests"))
        for part, own in labels.items()
    }
    return ClassifiedImages(
        classes=classes,
        train_images=_map(folder, "train", "images"),
        train_labels=labels["train"],
        train_originals=originals["train"],
        validation_images=_map(folder, "validation", "images"),
        validation_labels=labels["validation"],
        validation_originals=originals["validation"],
        test_images=_map(folder, "test", "images"),
        test_labels=labels["test"],
        test_originals=originals["test"],
    )


def _is_whole(folder: Path) -> bool:
    """Tell whether all was made to the end, and every file is still as it was then."""
    told = kept(folder / _ABOUT)
    if told is None:
        return False
    try:
        return all(sha256_of(folder / name) == sha256 for name, sha256 in json.loads(told).items())
    except OSError:
        return False


def square(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return the middle of a picture at `size` pixels square, uint8."""
    if pixels.shape[:2] == (size, size):
        return pixels
    return np.asarray(ImageOps.fit(Image.fromarray(pixels), (size, size), Image.Resampling.BICUBIC))


def _make(folder: Path, part: str, count: int, size: int, read: Read) -> Iterator[str]:
    """Write the two files of a part, and yield why a picture could not be read."""
    images = np.lib.format.open_memmap(_file(folder, part, "images"), "w+", np.uint8, (count, size, size, 3))
    digests = np.lib.format.open_memmap(_file(folder, part, "digests"), "w+", np.uint8, (count, 32))
    for position in range(count):
        try:
            pixels = read(part, position)
        except ValueError as error:
            yield str(error)
            continue
        images[position] = square(pixels, size)
        digests[position] = np.frombuffer(bytes.fromhex(digest(pixels)), dtype=np.uint8)
    images.flush()
    digests.flush()


def _map(folder: Path, part: str, what: str) -> np.ndarray:
    return np.load(_file(folder, part, what), mmap_mode="r")


def _file(folder: Path, part: str, what: str) -> Path:
    return folder / f"{part}_{what}.npy"
