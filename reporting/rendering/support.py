"""What is refused before any cell runs: syntax of Quarto's that Pandoc would print as text."""

import re
from collections.abc import Iterable
from itertools import accumulate

from pipeline.errors import UserError
from reporting.rendering.source import INLINE, Fence, Line

USE_QUARTO = "the built-in renderer does not support it; use Quarto"

_SHORTCODE = re.compile(r"\{\{<")
_INLINE_CODE = re.compile(r"`\{\s*\w+\s*\}|`r\s")
_DIV = re.compile(r" {0,3}:{3,}\s*([^\s:].*)?$")
_LANGUAGE = re.compile(r"\{+\s*(\w[\w-]*)")


def check_source(parts: list[Line | Fence]) -> None:
    """Refuse shortcodes, and inline code and cells in other languages."""
    prose = [part for part in parts if isinstance(part, Line)]
    for line, depth in zip(prose, _depths(line.text for line in prose), strict=True):
        if depth < 0:
            raise UserError(f"{line.file}:{line.number}: this closes a div (:::) that was never opened.")
    for part in parts:
        lines = [(part.number, part.text)] if isinstance(part, Line) else _shown_lines(part)
        for number, line in lines:
            if _SHORTCODE.search(line):
                raise UserError(f"{part.file}:{number}: this is a shortcode ({{{{< … >}}}}); {USE_QUARTO}.")
            if isinstance(part, Line) and (found := _INLINE_CODE.search(INLINE.sub("", line))):
                raise UserError(
                    f"{part.file}:{number}: inline code is written `{{python}} …`, on one line and with a "
                    f"space after the brace; this is {found[0].strip()} …"
                )


def check_output(file: str, number: int, output: str) -> None:
    """Refuse shortcodes that code printed, which Quarto would obey, and divs that reach beyond it."""
    if _SHORTCODE.search(output):
        raise UserError(f"{file}:{number}: this code prints a shortcode ({{{{< … >}}}}) that is not escaped.")
    if _depths(output.split("\n"))[-1] != 0 or min(_depths(output.split("\n"))) < 0:
        raise UserError(f"{file}:{number}: this code prints divs (:::) that do not open and close in pairs.")


def _depths(lines: Iterable[str]) -> list[int]:
    steps = (0 if found is None else 1 if found[1] else -1 for found in map(_DIV.match, lines))
    return list(accumulate(steps))


def is_cell(fence: Fence) -> bool:
    """Whether Quarto would run a fenced block."""
    return fence.info.replace(" ", "") == "{python}"


def _shown_lines(fence: Fence) -> list[tuple[int, str]]:
    if is_cell(fence):
        if fence.indented:
            raise UserError(f"{fence.file}:{fence.number}: a cell must start at the beginning of its line.")
        return []
    if found := _LANGUAGE.match(fence.info):
        raise UserError(
            f"{fence.file}:{fence.number}: a block that opens with {fence.info} is not a plain {{python}} "
            f"cell ({found[1]}); {USE_QUARTO}."
        )
    if "{=" in fence.info:
        raise UserError(f"{fence.file}:{fence.number}: raw {fence.info} would be lost in the other output.")
    if "{" in fence.info and not re.fullmatch(r"\{\.[\w-]+\}", fence.info):
        raise UserError(f"{fence.file}:{fence.number}: code with the attributes {fence.info}; {USE_QUARTO}.")
    return [(fence.number + offset, line) for offset, line in enumerate((fence.info, *fence.body))]
