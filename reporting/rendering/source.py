"""A page's Markdown that knows from which line of which `.qmd` each of its lines came."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from pipeline.errors import UserError

INLINE = re.compile(r"(?<!`)`\{python\}[ \t]([^`\n]+)`")
"""Inline code that Quarto runs: also within longer code, and never over the end of a line."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*(.*?)\s*$")
_INCLUDE = re.compile(r"\{\{< +include +(\S+) +>\}\}\s*")
_DIV = re.compile(r":{3,}\s*(.*?)[\s:]*")
_ON_PAPER = re.compile(r""":{3,}\s*\{\.content-visible when-format=["']?typst["']?\}\s*""")


@dataclass(frozen=True)
class Line:
    """One line of text, the number of its line in its file, and whether a cell printed it."""

    text: str
    number: int
    printed: bool = False
    code: bool = False
    file: str = ""


@dataclass(frozen=True)
class Markdown:
    """The lines of one page; what is included brings the name of its file."""

    file: str
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """What Pandoc gets to read."""
        return "\n".join(line.text for line in self.lines) + "\n"

    def refuse(self, reason: str, *traces: str) -> UserError:
        """An error at the first line outside code that holds one of the traces, looked for in turn."""
        for trace in traces:
            for line in self.lines:
                if trace and not line.code and trace in _without_code(line.text):
                    return UserError(f"{line.file or self.file}:{line.number}: {reason}")
        return UserError(f"{self.file}: {reason}")

    def is_authored(self, trace: str) -> bool:
        """Whether a line that no cell printed holds some text."""
        return any(trace in line.text for line in self.lines if not line.printed and not line.code)

    def refuse_at(self, position: int | None, reason: str) -> UserError:
        """An error at a line of the assembled text, counted from one as Pandoc does."""
        if position is None or not self.lines:
            return UserError(f"{self.file}: {reason}")
        line = self.lines[min(position, len(self.lines)) - 1]
        return UserError(f"{line.file or self.file}:{line.number}: {reason}")


def most_open(lines: Sequence[Line]) -> int:
    """Return the line, counted from one, in which most brackets stand open, one within the other."""
    return (
        max(range(len(lines)), key=lambda at: 0 if lines[at].code else _open(lines[at].text), default=0) + 1
    )


def _open(text: str) -> int:
    marks = re.findall(r"\\.|[\[\]]", text)
    return max(accumulate({"[": 1, "]": -1}.get(mark, 0) for mark in marks), default=0)


@dataclass(frozen=True)
class Fence:
    """A fenced block of code: what stands after the opening fence, the lines within, and where it opens."""

    info: str
    body: tuple[str, ...]
    number: int
    indented: bool
    file: str = ""


def split(file: str, text: str) -> list[Line | Fence]:
    """Split a page into prose lines and fenced blocks."""
    parts: list[Line | Fence] = []
    opened: tuple[str, str, int, bool] | None = None
    body: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        found = _FENCE.match(line)
        if opened is None:
            if found and not (found[1][0] == "`" and "`" in found[2]):
                opened, body = (found[1], found[2], number, line.startswith(" ")), []
            else:
                parts.append(Line(line, number, file=file))
        elif found and found[1].startswith(opened[0]) and not found[2]:
            parts.append(Fence(opened[1], tuple(body), opened[2], opened[3], file))
            opened = None
        else:
            body.append(line)
    if opened is not None:
        raise UserError(f"{file}:{opened[2]}: this block of code is never closed.")
    return parts


def with_includes(parts: list[Line | Fence], read: Callable[[Line, str], str]) -> list[Line | Fence]:
    """Put a file's parts in the place of each line that includes it; a line in it that includes more stays.

    `read` returns the text of a file, given the line that includes it and the name that stands there.
    """
    whole: list[Line | Fence] = []
    for part in parts:
        if isinstance(part, Line) and (found := _INCLUDE.fullmatch(part.text)):
            whole += split(found[1], read(part, found[1]))
        else:
            whole.append(part)
    return whole


def on_screen(parts: list[Line | Fence]) -> list[Line | Fence]:
    """Leave out what a page shows on paper alone, unless that never ends."""
    kept: list[Line | Fence] = []
    depth = 0
    for part in parts:
        text = part.text if isinstance(part, Line) else ""
        if depth:
            if div := _DIV.fullmatch(text):
                depth += 1 if div[1] else -1
        elif _ON_PAPER.fullmatch(text):
            depth = 1
        else:
            kept.append(part)
    return parts if depth else kept


def code_lines(fence: Fence) -> list[Line]:
    """A fenced block that is shown, not run, as lines again."""
    mark = "`" * (3 + max((len(run) for line in fence.body for run in re.findall("`+", line)), default=0))
    texts = (f"{mark}{fence.info}", *fence.body, mark)
    return [
        Line(line, fence.number + offset, code=True, file=fence.file) for offset, line in enumerate(texts)
    ]


def _without_code(line: str) -> str:
    ends = [0, *(end for found in re.finditer(r"(`+).+?\1", line) for end in found.span()), len(line)]
    return " ".join(line[start:end] for start, end in list(pairwise(ends))[::2])
