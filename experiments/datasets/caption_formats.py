"""The formats in which captions of pictures are published, told apart by a file's first line."""

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.errors import reason

RESULTS = ["image_name", "comment_number", "comment"]
COLUMNS = {
    "image": ("image", "image_name", "file_name", "filename", "file", "image_path", "filepath", "path"),
    "caption": ("caption", "comment", "text", "captions", "description", "sentence", "raw"),
    "number": ("comment_number", "caption_number"),
}
"""What the columns of a table, or the fields of a record, are called that name a picture and describe it."""
_NO_SPLIT = "{} has a split that is no text: write train, val, restval or test, or leave it out."
_LONG = 40
"""So many characters of a list are shown where it is refused."""
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

# Where a file was copied from a page, its tabs have become blanks.
_TOKEN = re.compile(r"(?P<name>[^\t]+?)#(?P<number>[0-9]{1,9})(?:[ ]*\t| {2,})(?P<text>.*)")
_PAIR = re.compile(
    r"(?P<name>[^\t]+?\.(?:jpe?g|png|gif|bmp|webp|tiff?))(?:[ ]*\t| {2,})(?P<text>.*)", re.IGNORECASE
)
_QUOTED = r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+\""""
# What a list consists of as Python, numpy, pandas or JSON shows it; whoever reads it never looks back.
_IN_LIST = re.compile(
    rf"dtype=(?:\w++|{_QUOTED})|(?:(?:np\.|numpy\.)?(?:array|str_)(?=\())|None|null|nan|[\[\](),\s]"
    rf"|(?P<text>[uU]?(?:{_QUOTED}))"
    rf"|(?P<other>[bBrRfF]{{1,2}}(?:{_QUOTED})|True|False|true|false|[-+]?\.?\d[-+.\deE_]*+(?!\w)|\.\.\.|[{{}}:])",
    re.DOTALL,
)
_LIST_BEGINS = re.compile(r"[\[({]|(?:np\.|numpy\.)?array\(")
_BLANKS = re.compile(r"(?P<name>.*?\S) {2,}(?P<text>.*)")
# Where a number is missing, pandas writes none, and all others like 4.0.
_NUMBER = r"(?P<number>[0-9]{1,9})(?:\.0+)?"
# The published results.csv has a line that lacks its second bar: "2199200615.jpg| 4   A dog runs ...".
_RESULT = re.compile(rf"(?P<name>[^|]*)\|\s*(?:{_NUMBER}(?:\s*\||\s|$)|\|)(?P<text>.*)")


@dataclass(frozen=True)
class WrittenCaption:
    """A caption as it is written, and where.

    `number` is its place among its picture's, `split` that picture's part of the data set, where one is told.
    """

    where: str
    name: str
    text: str
    number: int = 0
    split: str = ""


@dataclass(frozen=True)
class _Row:
    """The fields of a table's row, and the number of its first line; `sound` if no quotation mark is open."""

    line: int
    fields: tuple[str, ...]
    sound: bool


@dataclass(frozen=True)
class _Columns:
    """Where a row of a table has a picture's name, its captions, the number of the first, and its split."""

    image: int
    captions: tuple[int, ...]
    number: int | None
    split: int | None


Found = Iterator[WrittenCaption | str]
"""Captions, and a sentence for each place that holds none that can be used."""


def written_captions(text: str, shown_as: str) -> Found:
    r"""Read the captions in a file, whose first line with text tells the format.

    That is a table whose first line names its columns (`COLUMNS`), as Flickr8k, Flickr30k and the Hugging
    Face hub's ``metadata.csv`` have it; Flickr8k's lines ``name.jpg#0<tab>caption``, or without the number;
    Flickr30k's
    ``results.csv``; or JSON as COCO, Karpathy's splits, ``metadata.jsonl`` or LAVIS have it, or an object
    ``{"name.jpg": ["caption", …], …}``.
    Lines end in ``\n``. `shown_as` is the file's path as the user wrote it, for the sentences.
    """
    first = next((line for line in text.split("\n") if line.strip()), "")
    for pattern, name in ((_TOKEN, "name.jpg#0"), (_PAIR, "name.jpg")):
        if pattern.fullmatch(first):
            return _lines(text, shown_as, pattern, f"{name}, a tab and a caption")
    if [cell.strip().casefold() for cell in first.split("|")] == RESULTS:
        return _lines(text, shown_as, _RESULT, "name.jpg| 0| caption", headed=True)
    if first.lstrip().startswith(("{", "[")):
        return _records(text, shown_as) if _is_record(first) else _json(text, shown_as)
    for separator in SEPARATORS:
        header = [cell.strip().casefold() for row in _read_rows(first, separator) for cell in row.fields]
        image, number = (_only(header, COLUMNS[what]) for what in ("image", "number"))
        captions = _caption_columns(header)
        if image and captions:
            number, split = (header.index(name) if name in header else None for name in (number, "split"))
            columns = _Columns(header.index(image), captions, number, split)
            return _table(text, shown_as, separator, len(header), columns)
    header = [cell.casefold() for cell in re.split(" {2,}", first.strip())]
    if len(header) == 2 and _only(header[:1], COLUMNS["image"]) and _only(header[1:], COLUMNS["caption"]):
        return _lines(text, shown_as, _BLANKS, "name.jpg, three blanks and a caption", headed=True)
    unknown = (
        f"{shown_as}:1: the first line must name the columns image and caption, each once, between commas, "
        "semicolons or tabs; or be Flickr8k's name.jpg#0, a tab and a caption, or the first of Flickr30k's "
        "results.csv, or begin JSON as COCO, Karpathy's splits or metadata.jsonl have it."
    )
    return iter([unknown] if first else [])


def _only(header: Sequence[str], names: Sequence[str]) -> str:
    """Return the one of `names` that a header has, none if it has several or one twice.

    The first of `names` is meant wherever it stands.
    """
    found = [column for column in header if column in names]
    first = [column for column in found if column == names[0]] or found
    return first[0] if len(first) == 1 else ""


def _caption_columns(header: Sequence[str]) -> tuple[int, ...]:
    """Return where a header has captions: ``caption_1`` and so on, with or without a first."""
    plain = [re.sub(r"[ _-]?[0-9]+$", "", column) for column in header]
    name = _only([*dict.fromkeys(plain)], COLUMNS["caption"])
    places = tuple(at for at, column in enumerate(plain) if name and column == name)
    return places if len({header[at] for at in places}) == len(places) else ()


def _lines(text: str, shown_as: str, pattern: re.Pattern[str], shape: str, *, headed: bool = False) -> Found:
    """Read a caption from each line but the header."""
    lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
    if headed:
        next(lines)
    for number, line in lines:
        match = pattern.fullmatch(line)
        if match:
            place = int(match.groupdict().get("number") or 0)
            yield from _told(f"{shown_as}:{number}", match["name"], [match["text"]], place)
        else:
            yield f"{shown_as}:{number}: the line must read {shape}, like the others."


def _table(text: str, shown_as: str, separator: str, count: int, columns: _Columns) -> Found:
    # Where the caption is the last column, it is often written without quotes, whatever it holds.
    rows = _read_rows(text, separator, open_after=count if columns.captions == (count - 1,) else 0)
    next(rows)
    for row in rows:
        where = f"{shown_as}:{row.line}"
        if not row.sound:
            yield (
                f"{where}: a field begins with a quotation mark that is not closed; put the field between "
                'quotation marks, and write "" for each one inside.'
            )
        elif len(row.fields) != count:
            yield (
                f"{where}: the row has another number of fields than the first line ({len(row.fields)}, not "
                f"{count}); put a field that holds a {SEPARATORS[separator]} between double quotes."
            )
        else:
            number = row.fields[columns.number].strip() if columns.number is not None else ""
            match = re.fullmatch(_NUMBER, number)
            first = int(match["number"]) if match else 0
            split = row.fields[columns.split].strip() if columns.split is not None else ""
            texts = (row.fields[at] for at in columns.captions)
            yield from _told(where, row.fields[columns.image], texts, first, split)


def _told(where: str, name: str, fields: Iterable[str], first: int = 0, split: str = "") -> Found:
    """Read the captions of a picture that stand in some fields, numbered from `first` on."""
    try:
        told = [each for field in fields for each in _listed(field)]
    except ValueError as error:
        yield f"{where}: {error}"
        return
    captions = [each for each in told if each.strip()] or told[:1]  # some pictures have fewer
    for number, caption in enumerate(captions, start=first):
        yield WrittenCaption(where, name, caption, number, split)


def _listed(field: str) -> list[str]:
    """Return the captions in a field, several where a list was written as JSON, Python or numpy shows it.

    An empty list is a caption without text. What is no list is a caption as it stands.

    Raises:
        ValueError: if it is a list, but not of texts, or breaks off; its text says what to do.
    """
    told = field.strip()
    if not _LIST_BEGINS.match(told):
        return [field]
    with suppress(ValueError, RecursionError):  # Python would keep the backslash of JSON's "\/"
        found = json.loads(told, strict=False)
        if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
            return found
    parts, rest = _in_list(told)
    texts = [part["text"] for part in parts if part["text"]]
    in_brackets = told[0] == "(" and told != "()" and not texts  # as "(2)" is
    shown = repr(told if len(told) <= _LONG else f"{told[:_LONG]}…")
    if rest or in_brackets or told[-1] not in "])}":
        if told[0] != "(" and (texts if not rest else rest[0] in "'\"" and "]" not in rest):
            raise ValueError(f"the captions {shown} are a list that breaks off; write it to its end.")
        return [field]
    if any(part["other"] for part in parts):
        raise ValueError(f"the captions {shown} are a list, but not of texts alone; write texts alone.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of a backslash that means nothing
            # One by one: numpy writes no commas, with which Python would take all texts for one.
            return [str(ast.literal_eval(text)) for text in texts] or [""]
    except (ValueError, SyntaxError) as error:
        raise ValueError(
            f"the captions {shown} are a list with a text that cannot be read; write it anew."
        ) from error


def _in_list(told: str) -> tuple[list[re.Match[str]], str]:
    """Return what a list consists of, and the rest, from what no list has on."""
    parts, end = list[re.Match[str]](), 0
    while part := _IN_LIST.match(told, end):
        parts.append(part)
        end = part.end()
    return parts, told[end:]


def _json(text: str, shown_as: str) -> Found:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"{shown_as} begins like JSON, but cannot be read as such ({reason(error)}): export it anew."
        return
    match content:
        case {"annotations": [{"bbox": _} | {"segmentation": _} | {"keypoints": _} as first, *_]} if (
            "caption" not in first
        ):
            yield (
                f"{shown_as} is COCO's file of objects, without captions: name captions_*.json of the same "
                "archive."
            )
        case {"images": [{"sentences": _}, *_] as images}:
            for position, image in enumerate(images):
                yield from _sentences(image, f"{shown_as}: images[{position}]")
        case [dict(), *_]:
            for position, record in enumerate(content):
                yield from _record(record, f"{shown_as}: [{position}]")
        case {"images": list(images), "annotations": list(annotations)}:
            names: dict[int | str, str] = {}
            for position, image in enumerate(images):
                problem = _add_name(names, image)
                if problem:
                    yield f"{shown_as}: images[{position}] {problem}."
            for position, annotation in enumerate(annotations):
                yield _annotated(annotation, names, f"{shown_as}: annotations[{position}]")
        case dict() if _is_by_name(content):
            yield from _by_name(text, shown_as)
        case _:
            yield (
                f"{shown_as} must have the lists images and annotations, as COCO's files of captions do, or "
                "be a list of objects that have image and caption, or an object that has the captions of "
                "each image by its name."
            )


def _is_by_name(content: dict[str, object]) -> bool:
    """Tell whether an object has captions, texts or lists of such, by the names of their pictures.

    Those of other formats have names that say what is in their fields.
    """
    fields = {"images", "annotations", *(name for names in COLUMNS.values() for name in names)}
    firsts = [value[0] if isinstance(value, list) and value else value for value in content.values()]
    return not fields & {*content} and any(isinstance(first, str) for first in firsts)


def _by_name(text: str, shown_as: str) -> Found:
    # Read as pairs: of a name that is there twice, an object would keep the later captions alone.
    for name, captions in json.loads(text, object_pairs_hook=list):
        if isinstance(captions, str) or (isinstance(captions, list) and captions):
            yield from _record({"image": name, "caption": captions}, f"{shown_as}: {name!r}")
        else:
            yield f"{shown_as}: {name!r} must have a caption or a list of captions."


def _is_record(line: str) -> bool:
    """Tell whether a line is a whole object that names a picture, as the lines of ``metadata.jsonl`` are."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and any(name in record for name in COLUMNS["image"])


def _records(text: str, shown_as: str) -> Found:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield f"{shown_as}:{number}: this is no JSON ({reason(error)}); mend or remove the line."
            else:
                yield from _record(record, f"{shown_as}:{number}")


def _record(record: object, where: str) -> Found:
    """Read the captions of an object that has a picture's name and one caption or several."""
    fields = record if isinstance(record, dict) else {}
    name, texts = (fields.get(_only([*fields], COLUMNS[what])) for what in ("image", "caption"))
    split = fields.get("split")
    if not isinstance(split, str | None):
        yield _NO_SPLIT.format(where)
    elif isinstance(name, str) and isinstance(texts, str):
        yield from _told(where, name, [texts], split=split or "")
    elif not isinstance(name, str) or not isinstance(texts, list) or not texts:
        yield f"{where} must have the name of an image and a caption, as file_name and text."
    else:
        for number, caption in enumerate(texts):
            if isinstance(caption, str):
                yield WrittenCaption(where, name, caption, number, split or "")
            else:
                yield f"{where} has a caption that is no text; mend or remove it."


def _sentences(image: object, where: str) -> Found:
    """Read the captions of an image in Karpathy's splits of Flickr8k, Flickr30k and COCO."""
    split = image.get("split") if isinstance(image, dict) else None
    if not isinstance(split, str | None):
        yield _NO_SPLIT.format(where)
        return
    match image:
        case {"filename": str(name), "sentences": [*sentences]}:
            for number, sentence in enumerate(sentences):
                match sentence:
                    case {"raw": str(caption)}:
                        yield WrittenCaption(where, name, caption, number, split or "")
                    case _:
                        yield f"{where} has a sentence without raw, its text; mend or remove it."
        case _:
            yield f"{where} must have a filename and sentences."


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


def _read_rows(text: str, separator: str, *, open_after: int = 0) -> Iterator[_Row]:
    r"""Read a table's rows as RFC 4180 has them, with lines that end in ``\n``, but those without any text.

    A field between double quotes may hold separators, lines and, doubled, quotes. Where a field only begins
    with a quote, or the quotes hold another, it is text as it stands. If `open_after` is not 0, a row has so
    many fields, of which the last, unless it stands between quotes, reaches to the end of the line.
    """
    position, line = 0, 1
    while position < len(text):
        start, fields, sound = position, [], True
        while True:
            field, end = _field(
                text, position, "\n" if open_after and len(fields) == open_after - 1 else f"{separator}\n"
            )
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
