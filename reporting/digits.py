"""The lint against typed numbers: `python -m reporting.digits` names every digit that somebody wrote.

It reads the pages, the templates and the wordings of claims. A digit is allowed where it is part of
how a page is made and not of what it says: in front matter, code, identifiers and other attributes,
targets of links, cross-references, positions in a list, paths into the results. Every other number
has to come from `reporting.numbers`.
"""

import ast
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from reporting.blocks import BLOCKS
from reporting.checking.page import digits
from reporting.document import templates_in
from reporting.rendering.project import FRONT_MATTER
from reporting.rendering.source import Line, split

WORDINGS = ("holds", "fails", "unclear")
"""The arguments of a claim that are Jinja sources."""

_HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a template's text where a template prints something."""

_CODE = re.compile(r"(?<![\\`])(`+)(?!`)(?:(?!\n\s*\n)[\s\S])+?(?<!`)\1(?!`)")
_COMMENT = re.compile(r"<!--[\s\S]*?-->")
_ENTITY = re.compile(r"&#?\w+;")
_STRUCTURAL = (
    re.compile(r"(?<=\]\()[^()\s]*(?:\([^()\s]*\)[^()\s]*)*"),  # the target of a link or an image
    re.compile(r"^\s*\[[^\]\n]+\]:\s*\S+", re.MULTILINE),
    re.compile(r"@(?:tbl|fig|sec)-[\w-]+"),
)
_ATTRIBUTE = rf"""(?:[#.][\w{_HOLE}-]+|=\w+|[\w-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"{{}}]+))"""
_ATTRIBUTES = re.compile(rf"\{{\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}")
_HAS_ATTRIBUTES = re.compile(r"[\])`]\Z|^\s*(?:#{1,6}|:{3,})\s[^\n]*\Z|^\s*:{3,}\Z", re.MULTILINE)
_SHOWN_ATTRIBUTE = re.compile(r"""(?<=[\s{])(?:title|fig-alt|alt)=("(?:[^"\\]|\\.)*"|[^\s"}]+)""")

_ROOTS = "|".join(sorted({stage for block in BLOCKS.values() for stage in block.stages} | {"profile"}))
_PATH = re.compile(rf"(?:{_ROOTS})(?::\w+)?(?:\.\w+|\[[\w.-]+\])*\.?|(?:\.\w+)+\.?")
_LAYOUT = re.compile(r"\d+(?:px|%)")
_LAYOUT_NAMES = frozenset({"width", "height"})

_FUNCTIONS = frozenset({"facts", "captions", "picture", "range"})
"""What a template calls to find something out; arguments of these are printed nowhere."""

_SELECTING = frozenset(
    (
        "attr", "batch", "dictsort", "groupby", "map", "max", "min", "reject", "rejectattr", "round",
        "select", "selectattr", "slice", "sort", "sum", "truncate", "unique",
    )
)  # fmt: skip
"""Filters whose arguments say which values are meant, and are not printed themselves."""


@dataclass(frozen=True)
class Finding:
    """A typed number: where it stands and how it reads."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return one line that says where the number is and what to do."""
        return f"{self.file}:{self.line}: typed number {self.text!r}: print it from the results (n.…)"


@dataclass(frozen=True)
class Leaf:
    """A constant or a name in an expression, and whether it is printed, an argument, or computed with."""

    node: nodes.Const | nodes.Name
    role: str


def has_digit(value: object) -> bool:
    """Tell whether text holds a number in any script: also ½, ², and full-width digits."""
    return bool(digits(str(value)))


# Markdown


def typed(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield where the words with a digit stand in Markdown that is no structure, and the words."""
    text = _CODE.sub(_blank, _COMMENT.sub(_blank, markdown))
    text = _ATTRIBUTES.sub(_blank_attributes, text)
    for structure in _STRUCTURAL:
        text = structure.sub(_blank, text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]).ljust(len(found[0])), text)
    for found in re.finditer(rf"[^\s{_HOLE}]+", text):
        if has_digit(found[0]):
            yield found.start(), found[0]


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _blank_attributes(found: re.Match[str]) -> str:
    """Blank attributes, but for the values that a reader gets to see."""
    if not _HAS_ATTRIBUTES.search(found.string[: found.start()].rpartition("\n")[2].rstrip(" ")):
        return found[0]
    blanked = _blank(found)
    for shown in _SHOWN_ATTRIBUTE.finditer(found[0]):
        start, end = shown.span(1)
        blanked = blanked[:start] + found[0][start:end] + blanked[end:]
    return blanked


def in_page(file: str, text: str) -> list[Finding]:
    """Return the typed numbers of a page."""
    text = FRONT_MATTER.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines = [""] * (text.count("\n") + 1)
    for part in split(file, text):
        if isinstance(part, Line):
            lines[part.number - 1] = part.text
    prose = "\n".join(lines)
    return [Finding(file, prose.count("\n", 0, start) + 1, word) for start, word in typed(prose)]


# Templates


def in_template(file: str, source: str, environment: jinja2.Environment, first: int = 1) -> list[Finding]:
    """Return the typed numbers of a template whose first line is the line `first` of its file."""
    try:
        tree = environment.parse(source)
    except jinja2.TemplateSyntaxError as error:
        return [Finding(file, first + error.lineno - 1, f"not a template: {error.message}")]
    constants = (Finding(file, first + leaf.lineno - 1, str(leaf.value)) for leaf in _constants(tree))
    return sorted(
        [*_in_data(file, tree, first), *constants], key=lambda finding: (finding.line, finding.text)
    )


def _in_data(file: str, tree: nodes.Template, first: int) -> Iterator[Finding]:
    """Yield the typed numbers of a template's own text, read as one piece of Markdown."""
    text, pieces = "", []
    for output in tree.find_all(nodes.Output):
        for child in output.nodes:
            if isinstance(child, nodes.TemplateData):
                pieces.append((len(text), child.lineno))
                text += child.data
            else:
                text += _HOLE
    for start, word in typed(text):
        begin, line = max(piece for piece in pieces if piece[0] <= start)
        yield Finding(file, first + line - 1 + text.count("\n", begin, start), word)


def _constants(tree: nodes.Template) -> Iterator[nodes.Const]:
    """Yield the constants with a digit that a template prints."""
    outputs = [child for output in tree.find_all(nodes.Output) for child in output.nodes]
    leaves = [leaf for child in outputs for leaf in _leaves(child)]
    printed = {leaf.node.name for leaf in leaves if isinstance(leaf.node, nodes.Name)}
    yield from _printed(leaves)
    for name, value in _named(tree):
        leaves = list(_leaves(value))
        if name in printed and name not in _LAYOUT_NAMES:
            yield from _printed(leaves)
        else:
            yield from _kept(leaves, name)


def _printed(leaves: list[Leaf]) -> Iterator[nodes.Const]:
    for node, role in ((leaf.node, leaf.role) for leaf in leaves):
        if not isinstance(node, nodes.Const) or not has_digit(node.value):
            continue
        harmless = {
            "printed": False,
            "argument": bool(_PATH.fullmatch(str(node.value))),
            "layout": bool(_LAYOUT.fullmatch(str(node.value))),
            "computed": not isinstance(node.value, str),
        }
        if not harmless[role]:
            yield node


def _kept(leaves: list[Leaf], name: str) -> Iterator[nodes.Const]:
    """Yield what must not be kept under a name: text with a digit that is neither a path nor layout."""
    for leaf in leaves:
        value = leaf.node.value if isinstance(leaf.node, nodes.Const) else None
        layout = name in _LAYOUT_NAMES and _LAYOUT.fullmatch(str(value))
        if isinstance(value, str) and has_digit(value) and not (layout or _PATH.fullmatch(value)):
            assert isinstance(leaf.node, nodes.Const)
            yield leaf.node


def _named(tree: nodes.Template) -> Iterator[tuple[str, nodes.Node]]:
    """Yield every value that a template gives a name to; the names of a tuple count as one each."""
    for node in tree.find_all(
        (nodes.Assign, nodes.For, nodes.Macro, nodes.CallBlock, nodes.With, nodes.FilterBlock)
    ):
        match node:
            case nodes.Assign(target=target, node=value) | nodes.For(target=target, iter=value):
                for name in (target, *target.find_all(nodes.Name)):
                    if isinstance(name, nodes.Name):
                        yield name.name, value
            case nodes.With():
                yield from (
                    (target.name, value)
                    for target, value in zip(node.targets, node.values, strict=True)
                    if isinstance(target, nodes.Name)
                )
            case nodes.FilterBlock(filter=value):
                yield "", value
            case nodes.CallBlock() | nodes.Macro():
                names = [argument.name for argument in node.args][len(node.args) - len(node.defaults) :]
                yield from zip(names, node.defaults, strict=True)
                if isinstance(node, nodes.CallBlock):
                    yield "", node.call


def _leaves(node: nodes.Node | None, role: str = "printed") -> Iterator[Leaf]:
    """Yield the constants and names that make up the value of an expression."""
    match node:
        case nodes.Const() | nodes.Name():
            yield Leaf(node, role)
        case None | nodes.TemplateData() | nodes.Compare() | nodes.Test() | nodes.Not() | nodes.Slice():
            pass
        case nodes.CondExpr(expr1=one, expr2=other):
            yield from _leaves(one, role)
            yield from _leaves(other, role)
        case nodes.Getitem(node=holder) | nodes.Getattr(node=holder) | nodes.Pair(value=holder):
            yield from _leaves(holder, role)
        case nodes.Filter():
            yield from _leaves(node.node, role)
            if node.name not in _SELECTING:
                yield from _of_arguments(node, role)
        case nodes.Call():
            yield from _of_call(node, role)
        case (
            nodes.Add()
            | nodes.Sub()
            | nodes.Mul()
            | nodes.Div()
            | nodes.FloorDiv()
            | nodes.Mod()
            | nodes.Pow()
        ):
            known = all(isinstance(leaf, nodes.BinExpr | nodes.Const) for leaf in _within(node))
            for side in (node.left, node.right):
                yield from _leaves(side, role if known else "computed")
        case _:
            for child in node.iter_child_nodes():
                yield from _leaves(child, role)


def _within(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _within(child)


def _of_call(node: nodes.Call, role: str) -> Iterator[Leaf]:
    callee: Any = node.node
    root = callee
    while isinstance(root, nodes.Getattr | nodes.Getitem | nodes.Call):
        root = root.node
    name = root.name if isinstance(root, nodes.Name) else ""
    if name == "n":
        wrapped = isinstance(callee, nodes.Getattr) and callee.attr == "wrapped"
        for argument in node.args[1:] if wrapped else ():
            yield from _leaves(argument, role)
    elif name not in _FUNCTIONS:
        yield from _leaves(callee, role)
        yield from _of_arguments(node, "argument")


def _of_arguments(node: nodes.Call | nodes.Filter, role: str) -> Iterator[Leaf]:
    for argument in node.args:
        yield from _leaves(argument, role)
    for keyword in node.kwargs:
        yield from _leaves(keyword.value, "layout" if keyword.key in _LAYOUT_NAMES else role)


# Claims


def in_claims(file: str, source: str, environment: jinja2.Environment) -> list[Finding]:
    """Return the typed numbers in the wordings of claims, and in the words that these are filled with.

    A string of several words may become part of a wording wherever it stands, and is read as one.
    """
    findings, tree = [], ast.parse(source)
    for line, text in _strings(tree):
        if " " in text:
            findings += in_template(file, text, environment, line)
    for keyword in (node for node in ast.walk(tree) if isinstance(node, ast.keyword)):
        if keyword.arg in WORDINGS:
            for line, wording in _strings(keyword.value):
                findings += in_template(file, wording, environment, line)
        elif keyword.arg == "words" and isinstance(keyword.value, ast.Dict):
            for line, word in (text for value in keyword.value.values for text in _plain(value)):
                findings += in_template(file, word, environment, line)
    return list(dict.fromkeys(findings))


def _plain(value: ast.expr) -> list[tuple[int, str]]:
    """Return the text that a word is; a tuple is a method of `Numbers` with its arguments instead."""
    return [] if isinstance(value, ast.Tuple) else list(_strings(value))


def _strings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the strings in a Python expression, each with its line; one that is joined counts as one."""
    whole = _folded(node)
    if whole is not None:
        yield getattr(node, "lineno", 1), whole
    elif isinstance(node, ast.Subscript):
        yield from _strings(node.value)
    elif not isinstance(node, ast.Compare) and not _is_docstring(node):
        for child in ast.iter_child_nodes(node):
            yield from _strings(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _folded(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_folded(part) or "x" for part in parts)  # any letter will do for a value
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            start, end = _folded(left), _folded(right)
            return None if start is None or end is None else start + end
    return None


def findings(root: Path) -> list[Finding]:
    """Return every typed number of a project."""
    environment = templates_in(root / "templates")
    sources = (root / "reporting").glob("*.py")
    found: list[Finding] = []
    for path in sorted(root.glob("*.qmd")):
        found += in_page(path.name, path.read_text(encoding="utf-8"))
    for path in sorted(file for file in (root / "templates").rglob("*") if file.is_file()):
        found += in_template(str(path.relative_to(root)), path.read_text(encoding="utf-8"), environment)
    for path in sorted(path for path in sources if re.fullmatch(r"claims.*|.*_claims", path.stem)):
        found += in_claims(str(path.relative_to(root)), path.read_text(encoding="utf-8"), environment)
    return found


def main() -> None:
    """Print every typed number of the project in the current folder; exit with 1 if there is one."""
    found = findings(Path.cwd())
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
