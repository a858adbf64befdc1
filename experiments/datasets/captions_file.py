"""Captions of pictures in a file of the user's own."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from experiments.datasets.caption_formats import WrittenCaption, written_captions
from experiments.datasets.problems import refuse
from experiments.datasets.text import seen, unfit

_LEAVES = re.compile(r"[/\\]|[A-Za-z]:[/\\]|(?:.*[/\\])?\.\.(?:[/\\]|$)", re.DOTALL)

_UNPACK = "unpack it, and name the file with the captions that was in it as photos.captions"
_EXPORT = "export it as CSV in UTF-8, or as JSON, with the columns image and caption"
_ZIPPED = {
    b"xl/workbook": f"an Excel workbook: {_EXPORT}",
    b"opendocument.spreadsheet": f"an OpenDocument spreadsheet: {_EXPORT}",
    b"word/document": f"a Word document: {_EXPORT}",
    b"": f"a zip archive: {_UNPACK}",
}
"""What a zip archive is by the names in it, which are not compressed, and what to do."""
_COMPRESSED = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x8b": "gzip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_TABLES = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an older Excel workbook or Word document",
    b"ARROW1\0\0": "an Arrow or Feather file",
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"%PDF-": "a PDF",
    b"\x89PNG\r\n\x1a\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x80\x04": "a pickle of Python's",
    b"\x80\x05": "a pickle of Python's",
}
"""How files begin that hold captions in another form than text."""


@dataclass(frozen=True)
class CaptionedFile:
    """The file of a picture, by its name inside the folder of pictures (``a/b.jpg``), and its captions.

    There is at least one caption; none is blank or there twice. `split` is the part of the data set that the
    file says the picture is of, such as "train", if it says so.
    """

    name: str
    captions: tuple[str, ...]
    split: str = ""


def read_captions(path: Path, shown_as: str) -> list[CaptionedFile]:
    """Read a file of captions: pictures in order of their first caption.

    `shown_as` is the path as the user wrote it. `examine_captions` tells the formats.

    Raises:
        UserError: if the file has problems; its text tells the first few.
    """
    files, problems = examine_captions(path, shown_as)
    refuse(problems)
    return files


def examine_captions(path: Path, shown_as: str) -> tuple[list[CaptionedFile], list[str]]:
    """Read what can be used of a file of captions, and return it with a sentence for each problem.

    The content tells the format, as `written_captions` has it. Where captions are numbered, their numbers
    give the order. Captions are stripped, exact repetitions dropped.
    """
    try:
        content = path.read_bytes()
        if kind := _other_than_text(content):
            return [], [f"{shown_as} is no text, but {kind}."]
        text = content.decode("utf-8-sig")
    except OSError as error:
        return [], [
            f"The captions {path} cannot be read ({error.strerror}): place the file there or mend "
            "photos.captions."
        ]
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return [], [f"{shown_as}:{line}: this is not text in UTF-8: save the file as UTF-8."]
    problems: list[str] = []
    numbered: dict[str, list[tuple[int, str]]] = {}
    splits: dict[str, str] = {}
    # Other marks at which Python splits lines may stand in a caption.
    for found in written_captions(text.replace("\r\n", "\n").replace("\r", "\n"), shown_as):
        problem = found if isinstance(found, str) else _problem(found)
        if problem:
            problems.append(problem)
        elif isinstance(found, WrittenCaption):
            name = normpath(found.name.strip())
            numbered.setdefault(name, []).append((found.number, found.text.strip()))
            if splits.setdefault(name, found.split) != found.split:
                problems.append(f"{found.where}: {name} is of split {splits[name]!r} above: mend one.")
    if not numbered and not problems:
        problems.append(f"{shown_as} has no captions: write at least one for each photo.")
    return [_file(name, captions, splits[name]) for name, captions in numbered.items()], problems


def _other_than_text(content: bytes) -> str:
    """Return what a file is that is often taken for text, and what to do; nothing if it is none of these."""
    if content.startswith(b"PK\x03\x04"):
        return next(kind for name, kind in _ZIPPED.items() if name in content)
    if content.startswith(b"PAR1") and content.endswith(b"PAR1"):
        return f"a Parquet file: {_EXPORT}"
    for begin, name in _COMPRESSED.items():
        if content.startswith(begin):
            return f"compressed with {name}: {_UNPACK}"
    kind = next((kind for begin, kind in _TABLES.items() if content.startswith(begin)), "")
    return kind and f"{kind}: {_EXPORT}"


def captions_sha256(files: Sequence[CaptionedFile]) -> str:
    """Hash what is read of a file of captions: of the JSON ``[["a.jpg", ["a cat", …]], …]``, sorted by names.

    The order of photos in the file, its line endings and its format change nothing; the order of one photo's
    captions does. Where the file tells splits, that of each photo follows its captions.
    """
    content = sorted((file.name, file.captions, *([file.split] if file.split else [])) for file in files)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _file(name: str, numbered: list[tuple[int, str]], split: str) -> CaptionedFile:
    ordered = sorted(numbered, key=lambda caption: caption[0])
    return CaptionedFile(name, tuple(dict.fromkeys(text for _, text in ordered)), split)


def _problem(caption: WrittenCaption) -> str:
    """Return what is wrong with a caption, nothing if it can be used."""
    name = caption.name.strip()
    if not name:
        return f"{caption.where}: no image is named; name one or remove the line."
    if _LEAVES.match(name):
        return f"{caption.where}: the name {name!r} leads out of photos.folder; write the path inside it."
    if not seen(caption.text):
        return f"{caption.where}: the caption of {name!r} is empty; write one or remove the line."
    if wrong := unfit(name) or unfit(caption.text):
        return f"{caption.where}: the name or caption {name!r} {wrong}; write it anew."
    return ""
