"""The lint against typed numbers: `python -m reporting.digits` names every digit that somebody wrote.

It reads the text of the pages, of the templates and of the claims' wordings. A digit is allowed where it is
part of how a page is made and not of what it says: in front matter, code, identifiers and other attributes,
targets of links, cross-references. Every other number has to come from `reporting.numbers`. What an
expression of a template or a wording prints, `make check` sees on the page.
"""

import ast
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
from jinja2 import nodes

from reporting.checking.page import digits
from reporting.document import templates_in
from reporting.rendering.project import FRONT_MATTER
from reporting.rendering.source import Line, split
from reporting.rendering.support import is_cell

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


@dataclass(frozen=True)
class Finding:
    """A typed number: where it stands and how it reads."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return one line that says where the number is and what to do."""
        return f"{self.file}:{self.line}: typed number {self.text!r}: print it from the results (n.…)"


# Markdown


def typed(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield where the words with a digit stand in Markdown that is no structure, and the words."""
    text = _CODE.sub(_blank, _COMMENT.sub(_blank, markdown))
    text = _ATTRIBUTES.sub(_blank_attributes, text)
    for structure in _STRUCTURAL:
        text = structure.sub(_blank, text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]).ljust(len(found[0])), text)
    for found in re.finditer(rf"[^\s{_HOLE}]+", text):
        if digits(found[0]):
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
    """Return the typed numbers of a page, those in words that its cells print among them."""
    text = FRONT_MATTER.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines, found = [""] * (text.count("\n") + 1), []
    for part in split(file, text):
        if isinstance(part, Line):
            lines[part.number - 1] = part.text
        elif is_cell(part):
            for line, words in _printed_by_cell("\n".join(part.body)):
                at = part.number + line
                found += [
                    Finding(file, at + words.count("\n", 0, start), word) for start, word in typed(words)
                ]
    prose = "\n".join(lines)
    found += [Finding(file, prose.count("\n", 0, start) + 1, word) for start, word in typed(prose)]
    return sorted(found, key=lambda finding: finding.line)


def _printed_by_cell(code: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each string of several words; one word is the name of something."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # which whoever runs the cell says
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value:
            yield part.lineno, part.value


# Templates


def in_template(file: str, source: str, environment: jinja2.Environment) -> list[Finding]:
    """Return the typed numbers in a template's own text, read as one piece of Markdown."""
    try:
        tree = environment.parse(source)
    except jinja2.TemplateSyntaxError as error:
        return [Finding(file, error.lineno, f"not a template: {error.message}")]
    text, pieces, found = "", [], []
    for child in (child for output in tree.find_all(nodes.Output) for child in output.nodes):
        if isinstance(child, nodes.TemplateData):
            pieces.append((len(text), child.lineno))
            text += child.data
        else:
            text += _HOLE
            found += [Finding(file, node.lineno, str(node.value)) for node in _printed(child)]
    for start, word in typed(text):
        begin, line = max(piece for piece in pieces if piece[0] <= start)
        found.append(Finding(file, line + text.count("\n", begin, start), word))
    return sorted(found, key=lambda finding: (finding.line, finding.text))


def _printed(node: nodes.Node | None) -> Iterator[nodes.Const]:
    """Yield a constant that is printed as it stands, as the text of a link, or where a condition holds."""
    if isinstance(node, nodes.CondExpr):
        yield from (*_printed(node.expr1), *_printed(node.expr2))
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "link":
        yield from (text for argument in node.args for text in _printed(argument))
    elif isinstance(node, nodes.Const) and digits(str(node.value)):
        yield node


def findings(root: Path) -> list[Finding]:
    """Return every typed number of a project."""
    environment = templates_in(root / "templates")
    found: list[Finding] = []
    for path in sorted(root.glob("*.qmd")):
        found += in_page(path.name, path.read_text(encoding="utf-8"))
    templates = sorted(file for file in (root / "templates").rglob("*") if file.is_file())
    # A file of wordings reads as one template: its keys and quotation marks are text without a digit.
    for path in [*templates, *sorted((root / "reporting").glob("*.toml"))]:
        found += in_template(str(path.relative_to(root)), path.read_text(encoding="utf-8"), environment)
    return found


def main() -> None:
    """Print every typed number of the project in the current folder; exit with 1 if there is one."""
    found = findings(Path.cwd())
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
