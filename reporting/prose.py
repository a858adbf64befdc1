"""What the author's pages ask of the results, read without running anything: file, line and arguments."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reporting.rendering.source import INLINE, Fence, Line, split
from reporting.rendering.support import is_cell

UNKNOWN = object()
"""Stands for an argument that only running the code could tell."""


@dataclass(frozen=True)
class Call:
    """A call of `n`, of something of `n`, or of `report.claim`, in inline code or in a cell.

    `name` is ``n``, ``n.ratio`` or ``claim``, for example; `arguments` and `keywords` are what it is given,
    `UNKNOWN` where that is not written out.
    """

    file: str
    line: int
    name: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether all that it is given is written out."""
        return UNKNOWN not in (*self.arguments, *self.keywords.values())

    def given(self, at: int, name: str) -> str | None:
        """Return the words that stand at a position or by a name, None if they are not known."""
        found = self._at(at, name)
        return found if isinstance(found, str) else None

    def has_other(self, at: int, name: str) -> bool:
        """Tell whether what stands there is known and no words."""
        return not isinstance(self._at(at, name), str) and self._at(at, name) is not UNKNOWN

    def _at(self, at: int, name: str) -> Any:
        return self.arguments[at] if at < len(self.arguments) else self.keywords.get(name, UNKNOWN)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


def calls(file: str, text: str) -> Iterator[Call | str]:
    """Yield what a page asks of the results, and a sentence for each piece of inline code that is no Python.

    What a cell says that is no Python is for whoever runs it, and so is a call with starred arguments.
    """
    for part in split(file, text):
        if isinstance(part, Fence):
            yield from _in_cell(file, part)
        else:
            yield from _in_line(file, part)


def _in_cell(file: str, fence: Fence) -> Iterator[Call]:
    if not is_cell(fence):
        return
    try:
        tree = ast.parse("\n".join(fence.body))
    except SyntaxError:
        return
    yield from _calls(file, tree, fence.number)


def _in_line(file: str, line: Line) -> Iterator[Call | str]:
    for code in INLINE.findall(line.text):
        try:
            tree = ast.parse(code.strip(), mode="eval")
        except SyntaxError as error:
            yield f"{file}:{line.number}: the inline code {code!r} is no Python expression: {error.msg}."
        else:
            yield from _calls(file, tree, line.number, one_line=True)


def _calls(file: str, tree: ast.AST, first: int, one_line: bool = False) -> Iterator[Call]:
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}  # of the author's own: another `n`
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)) and not _is_starred(node):
            if name.partition(".")[0] in bound:
                continue
            line = first if one_line else first + node.lineno
            keywords = {str(each.arg): _value(each.value) for each in node.keywords}
            yield Call(file, line, name, tuple(map(_value, node.args)), keywords)


def _is_starred(call: ast.Call) -> bool:
    return any(isinstance(each, ast.Starred) for each in call.args) or any(
        each.arg is None for each in call.keywords
    )


def _value(argument: ast.expr) -> Any:
    try:
        return ast.literal_eval(argument)
    except (TypeError, ValueError):
        return UNKNOWN


def _name(function: ast.expr) -> str | None:
    """Return what is called, None if it is nothing of the results: `report.n` is `n`."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.insert(0, function.attr)
        function = function.value
    parts.insert(0, function.id if isinstance(function, ast.Name) else "")
    if parts[0] == "report":
        parts = parts[1:]
    is_ours = parts[:1] == ["n"] or parts == ["claim"]
    return ".".join(parts) if is_ours else None
