"""The lint against typed numbers: `python -m reporting.digits` names every digit that somebody wrote.

It reads the text of the pages, of the templates and of the claims' wordings. A digit is allowed where it is
part of how a page is made and not of what it says: in front matter, code, identifiers and other attributes,
targets of links, citations and cross-references, and where a list counts its items; and in a page's headings,
and on a line that is marked.
Every other number has to come from `reporting.numbers`. What an expression of a template or a wording prints,
`make check` sees on the page.
"""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import ast
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import nodes

from pipeline.errors import UserError, sentence
from pipeline.files import read_text
from reporting.checking.page import digits, numbers_in
from reporting.document import templates_in
from reporting.rendering.project import without_front_matter
from reporting.rendering.source import Line, split
from reporting.rendering.support import is_cell

_HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in a template's text where a template prints something."""

_CODE = re.compile(r"(?<![\\`])(`+)(?!`)(?:(?!\n\s*\n)[\s\S])+?(?<!`)\1(?!`)")
_COMMENT = re.compile(r"<!--[\s\S]*?-->")
_ENTITY = re.compile(r"&#?\w+;")
CITATION = re.compile(r"(?<![\w\\/.@])-?@(?:\{([^}\n]+)\}|(\w(?:[\w-]|[:.#$%&+?<>~/](?=\w))*))")
"""A citation or a cross-reference, with its key."""
_LOCATOR = re.compile(rf"(?:{CITATION.pattern}),\s+(?:[^\W\d]+\.?\s+)?\d[\d\s,–-]*(?=[;\]])")
"""A citation in brackets with the pages, or the like, that it is of: ``[see @lin2004rouge, pp. 74-81]``."""
_STRUCTURAL = (
    _LOCATOR,
    re.compile(r"(?<=\]\()[^()\s]*(?:\([^()\s]*\)[^()\s]*)*"),  # the target of a link or an image
    # The target of a link that is named.
    re.compile(r"""^\s*\[(?!\^)[^\]\n]+\]:[ \t]*\S+(?=[ \t]*(?:["'(].*)?$)""", re.MULTILINE),
    re.compile(r"<https?://[^\s<>]+>|(?<![\w(])https?://[^\s<>]+"),
    CITATION,
)
_ATTRIBUTE = rf"""(?:[#.][\w{_HOLE}-]+|=\w+|[\w-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"{{}}]+))"""
_ATTRIBUTES = re.compile(rf"\{{\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}")
_HAS_ATTRIBUTES = re.compile(r"[\])`]\Z|^\s*(?:#{1,6}|:{3,})\s[^\n]*\Z|^\s*:{3,}\Z", re.MULTILINE)
_NOTE = re.compile(r"\[\^[^]\s]+\]: *+")
_ITEM = re.compile(
    rf"(?P<before>(?:[ \t>]|[-*+:~](?=\s)|{_NOTE.pattern})*)(?P<number>\(?(?P<digits>\d{{1,3}})[.)])(?=\s+\S)"
)
"""A line that an item of a list begins: what stands before its number, such as a sign of a quotation."""
_EXEMPT = re.compile(r"^\s*#{1,6}\s|<!--\s*typed\s*-->")
"""A line whose numbers its author may type: a heading, or one that says so."""
_SHOWN_ATTRIBUTE = re.compile(r"""(?<=[\s{])(?:title|fig-alt|alt)=("(?:[^"\\]|\\.)*"|[^\s"}]+)""")


@dataclass(frozen=True)
class Finding:
    """A typed number: where it stands, how it reads, and the word after it."""

    file: str
    line: int
    text: str
    following: str = ""

    def __str__(self) -> str:
        """Return one line that says where the number is and what to do."""
        return f"{self.file}:{self.line}: typed number {self.text!r}: print it from the results (n.…)"


@dataclass(frozen=True)
class Prose:
    """Markdown that a file shows, in one piece; `starts` are places in it and the lines of the file there."""

    text: str
    starts: tuple[tuple[int, int], ...]

    def line_at(self, place: int) -> int:
        """Return the line of the file that a place in the text came from."""
        start, line = max(each for each in self.starts if each[0] <= place)
        return line + self.text.count("\n", start, place)

    def around(self, place: int) -> str:
        """Return the whole line of the text that a place is in."""
        start = self.text.rfind("\n", 0, place) + 1
        return self.text[start : (self.text + "\n").index("\n", place)]


# Markdown


def without_code(markdown: str) -> str:
    """Return Markdown with blanks for its code and its comments."""
    return _CODE.sub(_blank, _COMMENT.sub(_blank, markdown))


def typed(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield where the words with a digit stand in Markdown that is no structure, and the words."""
    text = without_code(_without_counting(markdown))
    text = _ATTRIBUTES.sub(_blank_attributes, text)
    for structure in _STRUCTURAL:
        text = structure.sub(_blank, text)
    text = _ENTITY.sub(lambda found: html.unescape(found[0]).ljust(len(found[0])), text)
    for found in re.finditer(rf"[^\s{_HOLE}]+", text):
        if digits(found[0]):
            yield found.start(), found[0]


def _without_counting(text: str) -> str:
    """Blank the numbers of lists that count from 1, and begin after a blank line or inside another."""
    following: dict[int, int] = {}
    """The number that the next item has of each list that has not ended, by its column."""
    lines = [""]
    for line in text.split("\n"):
        is_new, item = not lines[-1].strip(), _ITEM.match(line)
        number = int(item["digits"]) if item else 0
        before = item["before"] if item else line[: len(line) - len(line.lstrip())]
        column = len(_NOTE.sub(" " * 4, before))  # the lines after that of a note's name are indented so far
        counts = number == following.get(column) or (number == 1 and (is_new or column > 0))
        if counts or (is_new and line.strip()):
            following = {at: next_ for at, next_ in following.items() if at < column}
        if item and counts:
            following[column] = number + 1
            lines.append(before + " " * len(item["number"]) + line[item.end() :])
        else:
            lines.append(line)
    return "\n".join(lines[1:])


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
    """Return the typed numbers of a page, those in words that its cells print among them.

    A heading may hold some, and a line with the comment `<!-- typed -->`.
    """
    found = [
        Finding(file, prose.line_at(start), word, _following(prose.text, start))
        for prose in prose_of_page(file, text)
        for start, word in typed(prose.text)
        if not _EXEMPT.search(prose.around(start))
    ]
    return sorted(found, key=lambda finding: finding.line)


def exempt(file: str, text: str) -> set[str]:
    """Return the numbers of a page that its author may have typed: those of headings and marked lines."""
    lines = (line for prose in prose_of_page(file, text) for line in prose.text.split("\n"))
    return {number for line in lines if _EXEMPT.search(line) for number in numbers_in(line)}


def prose_of_page(file: str, text: str) -> list[Prose]:
    """Return the text of a page, and each string of several words that its cells hold."""
    text = without_front_matter(text)
    lines, pieces = [""] * (text.count("\n") + 1), []
    for part in split(file, text):
        if isinstance(part, Line):
            lines[part.number - 1] = part.text
        elif is_cell(part):
            printed = _printed_by_cell("\n".join(part.body))
            pieces += [Prose(words, ((0, part.number + line),)) for line, words in printed]
    return [Prose("\n".join(lines), ((0, 1),)), *pieces]


def _following(text: str, start: int) -> str:
    return next(iter(text[start:].split(maxsplit=2)[1:]), "")


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
        prose, printed = prose_of_template(source, environment)
    except jinja2.TemplateSyntaxError as error:
        return [Finding(file, error.lineno, f"not a template: {error.message}")]
    found = [Finding(file, node.lineno, str(node.value)) for node in printed if digits(str(node.value))]
    found += [Finding(file, prose.line_at(start), word) for start, word in typed(prose.text)]
    return sorted(found, key=lambda finding: (finding.line, finding.text))


@cache
def prose_of_template(source: str, environment: jinja2.Environment) -> tuple[Prose, tuple[nodes.Const, ...]]:
    """Return the text of a template, with holes for what it prints, and the constants among that.

    Raises:
        jinja2.TemplateSyntaxError: if it is no template, or brackets in it are nested too deep.
    """
    text, starts = "", [(0, 1)]
    constants: list[nodes.Const] = []
    try:
        printed = [*environment.parse(source).find_all(nodes.Output)]
    except RecursionError:
        raise jinja2.TemplateSyntaxError("brackets are nested too deep", 1) from None
    for child in (child for output in printed for child in output.nodes):
        if isinstance(child, nodes.TemplateData):
            starts.append((len(text), child.lineno))
            text += child.data
        else:
            text += _HOLE
            constants += _printed(child)
    return Prose(text, tuple(starts)), tuple(constants)


def _printed(node: nodes.Node | None) -> Iterator[nodes.Const]:
    """Yield a constant that is printed as it stands, as the text of a link, or where a condition holds."""
    if isinstance(node, nodes.CondExpr):
        yield from (*_printed(node.expr1), *_printed(node.expr2))
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "link":
        yield from (text for argument in node.args for text in _printed(argument))
    elif isinstance(node, nodes.Const):
        yield node


def in_pages(root: Path) -> list[Finding]:
    """Return every typed number of a project's pages."""
    return [found for page in pages(root) for found in in_page(page.name, read_text(page))]


def pages(root: Path) -> list[Path]:
    """Return a project's pages, with what they include."""
    return sorted(root.glob("*.qmd"))


def templates(root: Path) -> list[Path]:
    """Return the templates of a project, and its files of wordings.

    One of these reads as one template: its keys and quotation marks are text without a digit.
    """
    files = sorted(file for file in (root / "templates").rglob("*") if file.is_file())
    return [*files, *sorted((root / "reporting").glob("*.toml"))]


def findings(root: Path) -> list[Finding]:
    """Return every typed number of a project."""
    environment = templates_in(root / "templates")
    found = in_pages(root)
    for path in templates(root):
        found += in_template(str(path.relative_to(root)), read_text(path), environment)
    return found


def main() -> None:
    """Print every typed number of the project in the current folder; exit with 1 if there is one."""
    try:
        found = findings(Path.cwd())
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        sys.exit(2)
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    with startup.over():
        main()
