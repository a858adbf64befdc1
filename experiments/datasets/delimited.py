"""The rows of a table in a text file, with the line that each begins on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """The fields of a row, and the number of its first line; `sound` if no quotation mark is left open."""

    line: int
    fields: tuple[str, ...]
    sound: bool


def read_rows(text: str, separator: str, *, pair: bool = False) -> Iterator[Row]:
    r"""Read rows as RFC 4180 has them, with lines that end in ``\n``; rows without any text are left out.

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
            yield Row(line, tuple(fields), sound)
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
