"""What the author's pages ask of the results, read without running anything: file, line and arguments."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from reporting.rendering.source import INLINE, Fence, Line, split
from reporting.rendering.support import is_cell


@dataclass(frozen=True)
class Call:
    """A call of `n`, of something of `n`, or of `report.claim`, in inline code or in a cell.

    `name` is ``n``, ``n.ratio`` or ``claim``, for example; `words` are its arguments, None where one is no
    plain string, and `keywords` the names of the named ones.
    """

    file: str
    line: int
    name: str
    words: tuple[str | None, ...]
    keywords: frozenset[str] = field(default=frozenset())

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


def calls(file: str, text: str) -> Iterator[Call | str]:
    """Yield what a page asks of the results, and a sentence for each piece of inline code that is no Python.

    What a cell says that is no Python is for whoever runs it.
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
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)):
            words = tuple(_word(each) for each in node.args)
            line = first if one_line else first + node.lineno
            yield Call(file, line, name, words, frozenset(each.arg or "" for each in node.keywords))


def _word(argument: ast.expr) -> str | None:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return None


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
