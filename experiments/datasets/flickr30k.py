"""The first photos of Flickr30k, or of any captioned photos kept alike in parquet files."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.fields import resolve_path
from experiments.config.photos import Flickr30k
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.datasets.pictures import decode, digest
from experiments.datasets.text import unfit
from experiments.models import hub
from experiments.results.source import Source
from pipeline.errors import UserError, reason

COLUMNS = ("image", "caption", "img_id", "filename")
SPLIT_NAMES = frozenset({"train", "test", "validation", "valid", "val", "dev"})

Row = dict[str, Any]


def load_flickr30k(config: Flickr30k, root: Path, say: Callable[[str], None]) -> CaptionedPhotos:
    """Read the first rows that `config` asks for, and no more, from a folder, the hub's cache or the hub.

    A folder of parquet files named by `config.repository`, a path from `root`, takes the place of the
    hub. The first rows, with their first caption, are for tuning, the next for evaluation. Captions
    are stripped, blank ones dropped; photos are RGB and upright.

    Raises:
        UserError: if the hub cannot be reached (within 15 s), if a file in its cache is not the one that it
            has, or if columns, rows or images are missing or damaged.
    """
    if sentence := missing(config, root, hub.unreachable):
        raise UserError(sentence)
    count = config.tuning + config.evaluation
    files, commit = _found(config, root)
    if not files:
        say(f"streaming {count} photos from {config.repository} at revision {commit}")
    photos = [_photo(row, index, config) for index, row in enumerate(_rows(config, files, commit, count))]
    _check_count(photos, count, config)
    return CaptionedPhotos(
        source=(_source(config, root, commit, photos),),
        classes=(),
        tuning=tuple(replace(photo, references=photo.references[:1]) for photo in photos[: config.tuning]),
        evaluation=tuple(photos[config.tuning :]),
    )


def missing(config: Flickr30k, root: Path, ask: Callable[[], str | None]) -> str | None:
    """Return a sentence if the photos are neither on this machine nor to be had, None if they are.

    `ask` is `hub.unreachable`, or recalls what it said. Nothing is fetched or written.

    Raises:
        UserError: if `config` names no revision of a hub's data set.
    """
    folder = folder_of(config, root)
    if folder is None:
        return hub.missing(_repository(config), ask)
    if not folder.is_dir():
        return (
            f"There is no folder {folder}, which photos.repository names: place the parquet files there, or "
            "name a data set on the hub, such as lmms-lab/flickr30k."
        )
    if not _shards(folder, config.split):
        return (
            f"{folder} holds no first parquet file of split {config.split!r}: place the files there, "
            f"named like {config.split}-00000-of-00009.parquet, from the first on."
        )
    return None


def folder_of(config: Flickr30k, root: Path) -> Path | None:
    """Return the folder that `repository` names, there or not, or None if it names a data set on the hub."""
    folder = resolve_path(root, config.repository)
    is_on_hub = re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", config.repository) and not folder.is_dir()
    return None if is_on_hub else folder


def files_of(config: Flickr30k, root: Path) -> tuple[Path, list[str]] | None:
    """Return the folder that `repository` names and its parquet files, None if none is on this machine."""
    folder = folder_of(config, root)
    shards = [] if folder is None or not folder.is_dir() else _shards(folder, config.split)
    if folder is None or not shards:
        return None
    return folder, sorted(file.relative_to(folder).as_posix() for file in shards)


def _source(config: Flickr30k, root: Path, commit: str, photos: Sequence[Photo]) -> Source:
    folder = folder_of(config, root)
    name = config.repository if folder is None else f"the folder {folder.name}"
    return Source(
        name=f"{name}, the first {config.tuning + config.evaluation} rows of split {config.split}",
        revision=commit or None,
        sha256=_sha256(photos),
        url=f"{hub.ADDRESS}/datasets/{name}" if folder is None else None,
    )


def _sha256(photos: Sequence[Photo]) -> str:
    """Return the hash of what was read: names, captions and pixels, whatever files they came in."""
    read = [(photo.name, photo.references, digest(photo.pixels)) for photo in photos]
    return hashlib.sha256(json.dumps(read).encode()).hexdigest()


def _found(config: Flickr30k, root: Path) -> tuple[list[Path], str]:
    """Return the photos' files if they are on this machine, and a hub's commit, empty for a folder."""
    folder = folder_of(config, root)
    if folder is not None:
        return _shards(folder, config.split), ""
    repository = _repository(config)
    if hub.usable(repository) is None:
        return [], hub.commit(repository)
    folder = hub.snapshot(repository, attempts=())  # held against the hub's own hashes
    return _shards(folder, config.split), folder.name


def _repository(config: Flickr30k) -> hub.Repository:
    return hub.Repository(
        name=config.repository,
        revision=hub.reference(config.revision, "photos.revision"),
        lacks=lambda folder: (
            None if _shards(folder, config.split) else f"the first parquet file of split {config.split!r}"
        ),
        remedy="go online and run again, or download its parquet files elsewhere and give their folder as "
        "photos.repository, or set HF_HOME to a folder where the hub's client has stored it",
        kind="dataset",
    )


def _shards(folder: Path, split: str) -> list[Path]:
    """Return the parquet files of a split in order, none if the first of a numbered series is missing.

    Files belong to the split that their name or folder names, or, where no file names a split, to any.
    """
    words = {
        file: set(re.split("[^a-zA-Z0-9]+", str(file.relative_to(folder))))
        for file in sorted(folder.rglob("*.parquet"))
        if file.is_file()  # the hub's cache holds links, which a copy may have broken
    }
    files = [file for file in words if split in words[file]]
    if not files and not any(SPLIT_NAMES & names for names in words.values()):
        files = list(words)
    numbered = [re.search(r"-(\d+)-of-\d+$", file.stem) for file in files]
    numbers = [int(match[1]) for match in numbered if match]
    # The first rows are asked for: of a series that begins later, they would be other rows.
    return files if numbers == list(range(len(numbers))) else []


def _rows(config: Flickr30k, files: Sequence[Path], commit: str, count: int) -> list[Row]:
    """Return the first rows, fewer if there are fewer, with their images as they are stored."""
    from datasets import load_dataset

    place = f"The data set {config.repository}, split {config.split},"
    try:
        if files:
            sources = {config.split: [str(file) for file in files]}
            stream = load_dataset("parquet", data_files=sources, split=config.split, streaming=True)
        else:
            stream = load_dataset(config.repository, revision=commit, split=config.split, streaming=True)
        # Images are decoded in this module, where the row of a damaged one is known. The stream's own
        # `take` would fetch rows beyond the last.
        rows = list(islice(stream.decode(False), count))
    except Exception as error:  # whatever a lost connection or a damaged file makes the library raise
        raise UserError(
            f"{place} cannot be read ({reason(error)}): "
            + ("place its files anew." if files else "check photos.repository, its revision and its split.")
        ) from error
    missing = [column for column in COLUMNS if rows and column not in rows[0]]
    if missing:
        raise UserError(f"{place} has no column {missing[0]!r}; it must have {', '.join(COLUMNS)}.")
    return rows


def _photo(row: Row, index: int, config: Flickr30k) -> Photo:
    captions = row["caption"]
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise UserError(
            f"Row {index} of {config.repository} has no list of texts as its caption; name a data set "
            "that has one."
        )
    references = tuple(text.strip() for text in captions if text.strip())
    if not references or not row["filename"]:
        raise UserError(
            f"Row {index} of {config.repository} has no {'filename' if references else 'caption'}; name a "
            "data set where every photo has one."
        )
    if wrong := next(filter(None, map(unfit, (row["filename"], *references))), ""):
        raise UserError(
            f"A name or caption in row {index} of {config.repository} {wrong}; name a data set without such."
        )
    return Photo(row["filename"], index, _pixels(row, index, config), references, None)


def _pixels(row: Row, index: int, config: Flickr30k) -> np.ndarray:
    cell = row["image"]
    try:
        content = cell["bytes"] if isinstance(cell, dict) else cell
        return decode(bytes(content))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"The image in row {index} of {config.repository} ({row['filename']}) cannot be decoded: fetch "
            "the data set again."
        ) from error


def _check_count(photos: Sequence[Photo], count: int, config: Flickr30k) -> None:
    if len(photos) < count:
        raise UserError(
            f"{config.repository} has only {len(photos)} rows in split {config.split!r}, but "
            f"photos.tuning + photos.evaluation ask for {count}: lower one of them."
        )
    names = [photo.name for photo in photos]
    repeated = next((photo for photo in photos if photo.name in names[: photo.index]), None)
    if repeated:
        raise UserError(
            f"Row {repeated.index} of {config.repository} repeats the file name {repeated.name}; name a "
            "data set with one row per photo."
        )
