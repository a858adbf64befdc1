"""The formats in which captions of pictures are published, told apart by a file's first line."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import reason

RESULTS = ["image_name", "comment_number", "comment"]
COLUMNS = ("image", "caption")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_TOKEN = re.compile(r"(?P<name>[^\t]+)#(?P<number>[0-9]{1,9})[ ]*\t(?P<text>.*)")
# The published results.csv has a line that lacks its second bar: "2199200615.jpg| 4   A dog runs ...".
_RESULT = re.compile(r"(?P<name>[^|]*)\|\s*(?P<number>[0-9]{1,9})(?:\s*\||\s|$)(?P<text>.*)")


@dataclass(frozen=True)
class WrittenCaption:
    """A caption as it is written, and where; `number` is its place among its picture's, where one is told."""

    where: str
    name: str
    text: str
    number: int = 0


@dataclass(frozen=True)
class _Row:
    """The fields of a table's row, and the number of its first line; `sound` if no quotation mark is open."""

    line: int
    fields: tuple[str, ...]
    sound: bool


Found = Iterator[WrittenCaption | str]
"""Captions, and a sentence for each place that holds none that can be used."""


def written_captions(text: str, shown_as: str) -> Found:
    r"""Read the captions in a file, whose first line with text tells the format.

    Lines end in ``\n``. `shown_as` is the file's path as the user wrote it, for the sentences.
    """
    first = next((line for line in text.split("\n") if line.strip()), "")
    if _TOKEN.fullmatch(first):
        return _lines(text, shown_as, _TOKEN, "")
    if [cell.strip().casefold() for cell in first.split("|")] == RESULTS:
        return _lines(text, shown_as, _RESULT, first)
    if first.lstrip().startswith(("{", "[")):
        return _coco(text, shown_as)
    for separator in SEPARATORS:
        header = [cell.strip().casefold() for row in _read_rows(first, separator) for cell in row.fields]
        if all(header.count(column) == 1 for column in COLUMNS):
            return _table(text, shown_as, separator, header)
    unknown = (
        f"{shown_as}:1: the first line must name the columns image and caption, each once, between commas, "
        "semicolons or tabs; or be Flickr8k's name.jpg#0, a tab and a caption, or the first of Flickr30k's "
        "results.csv, or begin JSON in COCO's format."
    )
    return iter([unknown] if first else [])


def _lines(text: str, shown_as: str, pattern: re.Pattern[str], header: str) -> Found:
    """Read a caption from each line but the header."""
    lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    if header:
        next(lines)
    for number, line in lines:
        match = pattern.fullmatch(line)
        if match:
            yield WrittenCaption(f"{shown_as}:{number}", match["name"], match["text"], int(match["number"]))
        else:
            shape = "name.jpg| 0| caption" if header else "name.jpg#0, a tab and a caption"
            yield f"{shown_as}:{number}: the line must read {shape}, like the others."


def _table(text: str, shown_as: str, separator: str, header: Sequence[str]) -> Found:
    # Files of two columns are often written without any quotes.
    rows = _read_rows(text, separator, pair=header == list(COLUMNS))
    next(rows)
    for row in rows:
        where = f"{shown_as}:{row.line}"
        if not row.sound:
            yield (
                f"{where}: a field begins with a quotation mark that is not closed; put the field between "
                'quotation marks, and write "" for each one inside.'
            )
        elif len(row.fields) != len(header):
            yield (
                f"{where}: the row has another number of fields than the first line ({len(row.fields)}, not "
                f"{len(header)}); put a field that holds a {SEPARATORS[separator]} between double quotes."
            )
        else:
            image, caption = (row.fields[header.index(column)] for column in COLUMNS)
            yield WrittenCaption(where, image, caption)


def _coco(text: str, shown_as: str) -> Found:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"{shown_as} begins like JSON, but cannot be read as such ({reason(error)}): export it anew."
        return
    match content:
        case {"images": list(images), "annotations": list(annotations)}:
            names: dict[int | str, str] = {}
            for position, image in enumerate(images):
                problem = _add_name(names, image)
                if problem:
                    yield f"{shown_as}: images[{position}] {problem}."
            for position, annotation in enumerate(annotations):
                yield _annotated(annotation, names, f"{shown_as}: annotations[{position}]")
        case _:
            yield f"{shown_as} must have the lists images and annotations, as COCO's files of captions do."


def _add_name(names: dict[int | str, str], image: object) -> str:
    """Note the name of an image by its id, or return what is wrong with it."""
    match image:
        case {"id": int(key) | str(key), "file_name": str(name)}:
            if key in names:
                return f"has the id {key!r}, which another has; give each its own"
            names[key] = name
            return ""
        case _:
            return "must have an id and a file_name"


def _annotated(annotation: object, names: dict[int | str, str], where: str) -> WrittenCaption | str:
    match annotation:
        case {"image_id": int(key) | str(key), "caption": str(text)}:
            if key in names:
                return WrittenCaption(where, names[key], text)
            return f"{where} has the image_id {key!r}, which is no image's id; mend or remove it."
        case _:
            return f"{where} must have an image_id and a caption."


def _read_rows(text: str, separator: str, *, pair: bool = False) -> Iterator[_Row]:
    r"""Read a table's rows as RFC 4180 has them, with lines that end in ``\n``, but those without any text.

    A field between double quotes may hold separators, lines and, doubled, quotes. Where a field only begins
    with a quote, or the quotes hold another, it is text as it stands. If `pair`, a row has two fields, of
    which the second, unless it stands between quotes, reaches to the end of the line.
    """
    position, line = 0, 1
    while position < len(text):
        start, fields, sound = position, [], True
        while True:
            field, end = _field(text, position, "\n" if pair and fields else f"{separator}\n")
            sound = sound and field is not None
            fields.append(text[position:end] if field is None else field)
            position = end + 1
            if end == len(text) or text[end] == "\n":
                break
        if any(field.strip() for field in fields):
            yield _Row(line, tuple(fields), sound)
        line += text.count("\n", start, position)


def _field(text: str, position: int, ends: str) -> tuple[str | None, int]:
    """Return the field at `position`, None if it leaves a quotation mark open, and where it ends."""
    quoted = re.compile(rf' *"((?:[^"]++|"")*+)" *(?=[{ends}]|\Z)').match(text, position)
    if quoted:
        return quoted[1].replace('""', '"'), quoted.end()
    plain = re.compile(rf"[^{ends}]*").match(text, position)
    assert plain
    field = plain[0]
    is_open = field.lstrip().startswith('"') and field.count('"') % 2
    return None if is_open else field, plain.end()
