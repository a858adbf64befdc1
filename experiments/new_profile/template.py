"""The text of a new profile: a template with alternative blocks, of which one each is switched on.

In the template a line ``#: GROUP NAME`` begins a block and ``#: end`` ends the last of a group. In the text
the first block of a group is on unless another is asked for; lines of the others begin with ``#``. Lines that
begin with ``#`` and a space are prose and stay as they are.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

TEMPLATE = Path(__file__).with_name("profile.toml")
_MARK, _END = "#: ", "end"

Values = Mapping[str, str | int | float | None]
"""What keys of a block are to be, in place of what the template says; None switches a key off."""


@dataclass(frozen=True)
class Block:
    """Consecutive lines of the template; those outside all alternatives have no group and no name."""

    group: str
    name: str
    lines: tuple[str, ...]


def blocks(template: str) -> list[Block]:
    """Split a template's text into blocks, in order."""
    found, group, name, lines = [], "", "", []
    for line in template.splitlines():
        if not line.startswith(_MARK):
            lines.append(line)
            continue
        found.append(Block(group, name, tuple(lines)))
        group, _, name = line.removeprefix(_MARK).partition(" ")
        group, lines = ("" if group == _END else group), []
    return [*found, Block(group, name, tuple(lines))]


def written(template: str, chosen: Mapping[tuple[str, str], Values]) -> str:
    """Return the text with the blocks of `chosen`, named by group and name, on, and with their values."""
    on = {block.group: block.name for block in reversed(blocks(template))} | dict(chosen.keys())
    return "".join(f"{line}\n" for block in blocks(template) for line in _lines(block, on, chosen))


def _lines(block: Block, on: Mapping[str, str], chosen: Mapping[tuple[str, str], Values]) -> Iterator[str]:
    values = chosen.get((block.group, block.name), {})
    for line in block.lines:
        key = line.partition(" = ")[0]
        changed = _assigned(line, key, values[key]) if key in values else line
        is_prose = not line or line.startswith("# ")
        yield changed if is_prose or on[block.group] == block.name else f"#{changed}"


def _assigned(line: str, key: str, value: str | int | float | None) -> str:
    """Give a key another value on its line, whose comment stays, or switch it off."""
    if value is None:
        return f"#{line}"
    return f"{key} = {_toml(value)}  #{line.rpartition('  #')[2]}"


def _toml(value: str | int | float) -> str:
    """Write a value as TOML does, in which JSON's strings are strings.

    Raises:
        UserError: if it is a name that no text can hold.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"The path {value!r} is not text in UTF-8: rename the folder or file.") from error
    return text.replace("\x7f", "\\u007F")
