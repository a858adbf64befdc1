"""What CIFAR-10 and captions of it are known by: pinned hashes, and what is read of a file."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.photos import Cifar10Captions
from experiments.datasets.text import unfit
from pipeline.errors import UserError

COLUMNS = ("split", "index", "pass", "caption", "uncertain")
CIFAR10 = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
"""SHA-256 of the decoded arrays: images as uint8 (N, 32, 32, 3), labels as uint8 (N,)."""


@dataclass(frozen=True)
class CaptionRow:
    """One caption, and the file and line that it stands on."""

    where: str
    split: str
    index: int
    writer: int
    caption: str


def captions_file(config: Cifar10Captions, root: Path) -> bytes:
    """Return the content of the file with the captions, whose path starts at `root`.

    Raises:
        UserError: if it cannot be read.
    """
    path = resolve_path(root, config.captions)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The captions {path} cannot be read ({error.strerror}): place the file there or mend "
            "photos.captions."
        ) from error


def read_rows(config: Cifar10Captions, root: Path) -> list[CaptionRow]:
    """Read all captions in the order of split, index and pass.

    Raises:
        UserError: if the file is missing or a line of it cannot be used.
    """
    content, name = captions_file(config, root), config.captions
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


def captions_sha256(config: Cifar10Captions, root: Path) -> str:
    """Hash what is read of the file with the captions, whatever its bytes and the order of its lines.

    Raises:
        UserError: as `read_rows`.
    """
    rows = [(row.split, row.index, row.writer, row.caption) for row in read_rows(config, root)]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _check_header(found: Sequence[str], name: str) -> None:
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise UserError(
            f"{name}:1: the first line does not name the column {missing[0]!r}; it must name "
            f"{', '.join(COLUMNS)}."
        )


def _row(fields: dict[str, str], where: str) -> CaptionRow:
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
    if wrong := unfit(caption):
        raise UserError(f"{where}: the caption {caption!r} {wrong}; write it anew.")
    return CaptionRow(
        where, fields["split"], _number(fields, "index", where), _number(fields, "pass", where), caption
    )


def _number(fields: dict[str, str], column: str, where: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", fields[column]):
        raise UserError(f"{where}: the {column} {fields[column]!r} must be a whole number such as 1.")
    return int(fields[column])


def _check_unique(rows: list[CaptionRow]) -> None:
    """Refuse a caption that is there twice; `rows` are sorted."""
    for row, following in pairwise(rows):
        if (row.split, row.index, row.writer) == (following.split, following.index, following.writer):
            raise UserError(
                f"{following.where}: {row.split} photo {row.index} has a caption of pass {row.writer} "
                f"already, at {row.where}; remove one."
            )
