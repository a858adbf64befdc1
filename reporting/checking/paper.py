"""What a PDF shows, compared with the page that was made with it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pipeline.errors import UserError, reason
from reporting.checking.page import (
    FLOATS,
    Element,
    body_of,
    digits,
    is_mark_of_note,
    is_notes,
    is_title_block,
    origins,
    squeezed,
    text_of,
    walk,
    without,
)
from reporting.labels import LABELS

_LOOSE = re.compile(
    r"[\s\N{SOFT HYPHEN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{ZERO WIDTH SPACE}\N{WORD JOINER}-]"
)
"""What may stand between two letters on paper and not on screen, or the other way around."""
_ITEM = "\0"
"""Stands before each item of a list; on paper it has a number, a letter or a sign there."""
_MARKER = r"[•‣–☐☒]*(?:\(?\w{1,5}[.)])?"

_NOT_READ = re.compile(
    r"[^\n\u0020-\u007e\u00a0-\u058f\u1e00-\u200b\u2010-\u2029\u202f-\u2038\u203b-\u205f\u2070-\u2bff\u2c60-\u2c7f"
    r"\ua720-\ua7ff\ufb00-\ufb06]"
)
"""What cannot be read off paper as it stands on screen.

It is invisible, runs from right to left or mirrored, changes its shape, or has no letter in a font."""

_PLACES = "|".join(re.escape(word) for words in LABELS.values() for word in (words.section, words.page))
_CALLED = re.compile(rf"\((?:{FLOATS}|{_PLACES})\s*A?[\d.]+\)|(?:{FLOATS})\s*A?\d+")
"""What a table, a figure or a place is called, in a caption or a reference."""

_AROUND = 40
_DEEPEST = 6
_SHARE = 0.01
_SLACK = 6.0
"""Points by which letters may reach over a margin: Typst hangs hyphens and commas into it."""


@dataclass(frozen=True)
class Words:
    """Words in one line of a sheet, and their box in points from the sheet's lower left corner."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True)
class Sheet:
    """One page of a PDF: its text, the boxes of its words without the page number, and that number's."""

    text: str
    words: tuple[Words, ...]
    number: Words | None
    width: float
    height: float


@dataclass(frozen=True)
class Paper:
    """A PDF: its sheets, and level, words and sheet of each entry of its own outline."""

    sheets: list[Sheet]
    entries: list[tuple[int, str, int]]


def read(pdf: Path) -> Paper:
    """Read the text of a PDF and where it stands.

    The text comes from pypdf, which gives digits within a script that runs from right to left in the order
    of reading; the boxes come from PDFium, which knows how wide letters are.

    Raises:
        UserError: if it is no whole PDF.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return _read(PdfReader(pdf), PdfDocument(pdf))
    except (PyPdfError, PdfiumError) as error:
        raise UserError(f"{pdf} is no whole PDF ({reason(error)}): render the report again.") from error


def _read(reader: Any, boxes: Any) -> Paper:
    header = _header(reader)
    with boxes as document:
        sheets = [
            _sheet(header.sub("", page.extract_text()) if number > 1 else page.extract_text(), number, boxed)
            for number, (page, boxed) in enumerate(zip(reader.pages, document, strict=True), start=1)
        ]
    return Paper(sheets, _entries(reader, reader.outline))


def _header(reader: Any) -> re.Pattern[str]:
    """Return what finds the running header of a sheet, which repeats the title and the authors."""
    told = reader.metadata or {}
    words = f"{told.get('/Title', '')} {told.get('/Author', '')}".split()
    return re.compile(r"\A\s*" + r"\s+".join(map(re.escape, words)))


def _sheet(text: str, number: int, page: Any) -> Sheet:
    shown = page.get_textpage()
    boxes = [shown.get_rect(index) for index in range(shown.count_rects())]
    words = [Words(shown.get_text_bounded(*box).strip(), *box) for box in boxes]
    lowest = min(words, key=lambda word: word.bottom, default=None)
    printed = rf"{number}(?: / \d+)?"
    its_number = lowest if lowest and re.fullmatch(printed, lowest.text) else None
    rest = tuple(word for word in words if word is not its_number and word.text)
    without_number = re.sub(rf"(?:\A|\n){printed}\s*\Z", "", text)
    return Sheet(without_number, rest, its_number, *page.get_size())


def legible(text: str) -> str:
    """Return what can be compared of a text on paper and on screen: letters that both show, without gaps."""
    return _LOOSE.sub("", _NOT_READ.sub("", text))


def differences(pages: Sequence[Element], pdf: Path) -> Iterator[tuple[str, str]]:
    """Yield what a PDF shows otherwise than its pages, one after the other, and the words around it.

    What names an origin on the pages must follow in the PDF in the same order, and all digits of the PDF
    must be those of the pages, but for page numbers, the table of contents, and what tables and figures are
    called, which is otherwise where several pages are one document. The literature of all pages is one list
    at the end of the PDF, and each footnote stands in one piece at the foot of a sheet, counted through all
    pages. Scripts that cannot be read off paper as they stand on screen are left out of both, and so is what
    only a screen shows. And nothing may stand where a reader does not see it: over the
    margins or upon the page number.
    """
    paper = read(pdf)
    bodies = [_with_the_last_last(without(body_of(page), _is_on_screen_alone)) for page in pages]
    sheets = [_NOT_READ.sub("", sheet.text) for sheet in paper.sheets]
    above, lost = _without_notes(sheets, list(_notes(bodies)))
    yield from lost
    bodies = list(_renumbered(bodies))
    listed = (each for page in bodies for each in walk(page) if "csl-entry" in each.classes)
    literature = {text_of(each): each for each in listed}
    entries = [literature[words] for words in sorted(literature, key=_by_author_and_year)]
    shown = Element("main", {}, [*(without(body, _is_literature) for body in bodies), *entries])
    title = next((element for page in pages for element in walk(page) if is_title_block(element)), None)
    yield from _missing(shown, above)
    yield from _other_digits(shown, text_of(title) if title else "", above, paper.entries)
    yield from off_the_sheet(paper)


def off_the_sheet(paper: Paper) -> Iterator[tuple[str, str]]:
    """Yield words that reach over the margins or the page number of their sheet, and the sheet.

    The margin on the left is the leftmost place where a fair share of all words begins, as paragraphs and
    headings do; the one on the right is as wide. Numbers stand equally high on all sheets: one that cannot be
    told apart has words upon it.
    """
    starts = Counter(round(word.left) for sheet in paper.sheets for word in sheet.words)
    margin = min((left for left, times in starts.items() if times > _SHARE * starts.total()), default=0)
    floor = max((sheet.number.top for sheet in paper.sheets if sheet.number is not None), default=0.0)
    for index, sheet in enumerate(paper.sheets, start=1):
        for word in sheet.words:
            if (
                word.left < margin - _SLACK
                or word.right > sheet.width - margin + _SLACK
                or word.bottom < floor
                or word.top > sheet.height
            ):
                yield f"{word.text!r} stands outside the margins", f"page {index}"


def _notes(pages: Sequence[Element]) -> Iterator[str]:
    """Yield the words of each footnote of the pages in the order of the marks that lead to them."""
    for page in pages:
        lists = (each for each in walk(page) if is_notes(each))
        notes = {f"#{each.attributes.get('id')}": each for found in lists for each in walk(found)}
        for mark in (each for each in walk(page) if is_mark_of_note(each)):
            if note := notes.get(mark.attributes["href"]):
                yield _listed(without(note, lambda each: "footnote-back" in each.classes))


def _listed(element: Element) -> str:
    """Return the text of an element with `_ITEM` before each item of a list."""
    if element.tag in {"ul", "ol"}:
        items = (child for child in element.children if isinstance(child, Element))
        return "".join(f"{_ITEM}{_listed(item)}" for item in items)
    return "".join(child if isinstance(child, str) else _listed(child) for child in element.children)


def _without_notes(sheets: Sequence[str], notes: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Return the text of a PDF above the footnotes of its sheets, and the first of them that it has not.

    What tables, figures and places are called is left out of both.
    """
    text = _CALLED.sub(lambda called: "\f" if "\f" in called[0] else "", "\f".join(sheets))
    patterns = [_printed(f"{number}{words}") for number, words in enumerate(notes, start=1)]
    above, shown = [], 0
    for sheet in text.split("\f"):
        start, shown = _foot(sheet, patterns, shown)
        above.append(sheet[:start])
    letters = legible(text)
    missing = [at for at in range(shown, len(notes)) if not patterns[at].search(letters)]
    lost = [
        (
            f"footnote {at + 1} is not what it is on the page",
            squeezed(notes[at].replace(_ITEM, " "))[:_AROUND],
        )
        for at in [*missing, *range(shown, len(notes))][:1]
    ]
    return "\n".join(above), lost


def _foot(sheet: str, patterns: Sequence[re.Pattern[str]], shown: int) -> tuple[int, int]:
    """Return where the footnotes of a sheet begin, its end if it has none, and how many were shown by then.

    The first of them follows those that are `shown` before, and with the last one the sheet ends.
    """
    places = [at for at, mark in enumerate(sheet) if not _LOOSE.fullmatch(mark)]
    letters = "".join(sheet[at] for at in places)
    for first in patterns[shown].finditer(letters) if shown < len(patterns) else ():
        start, end, now = places[first.start()], first.end(), shown + 1
        while now < len(patterns) and (found := patterns[now].match(letters, end)):
            end, now = found.end(), now + 1
        if end == len(letters) and not sheet[:start][-1:].isdigit():
            return start, now
    return len(sheet), shown


def _printed(note: str) -> re.Pattern[str]:
    """Return a pattern that finds a footnote among the letters of a sheet."""
    pieces = _CALLED.sub("", note).split(_ITEM)
    return re.compile(_MARKER.join(re.escape(legible(piece)) for piece in pieces))


def _renumbered(pages: Sequence[Element]) -> Iterator[Element]:
    """Yield pages without their footnotes, whose numbers in the text go through all pages as on paper."""
    number = count(1)

    def renumbered(element: Element) -> Element:
        if is_mark_of_note(element):
            return Element("a", {}, [str(next(number))])
        children = [child if isinstance(child, str) else renumbered(child) for child in element.children]
        return Element(element.tag, element.attributes, children)

    return (renumbered(without(page, is_notes)) for page in pages)


def _missing(page: Element, text: str) -> Iterator[tuple[str, str]]:
    squeezed, position = legible(text), 0
    for origin in origins(page):
        wanted = legible(_CALLED.sub("", origin.text))
        found = squeezed.find(wanted, position)
        if found < 0:
            context = squeezed[max(0, position - _AROUND) : position + _AROUND]
            yield f"{origin.text!r} ({origin.path}) is not where it should follow", context
            return  # whatever comes after it would be looked for in the wrong place
        position = found + len(wanted)


def _with_the_last_last(body: Element) -> Element:
    """Return a page as paper has it: what is to be the last follows all else, wherever it stands."""

    def is_last(element: Element) -> bool:
        return "last" in element.classes

    return Element(body.tag, body.attributes, [without(body, is_last), *filter(is_last, walk(body))])


def _is_on_screen_alone(element: Element) -> bool:
    return element.tag == "nav" or is_title_block(element) or bool({"card", "on-screen"} & {*element.classes})


def _by_author_and_year(entry: str) -> tuple[str, ...]:
    found = re.match(r"(.*?)\. (\d{4})", entry.strip(), re.DOTALL)
    return (found[1].casefold(), found[2]) if found else (entry.casefold(),)


def _is_literature(element: Element) -> bool:
    return element.attributes.get("id") == "refs"


def _other_digits(
    page: Element, title: str, text: str, entries: list[tuple[int, str, int]]
) -> Iterator[tuple[str, str]]:
    shown, expected = digits(text), digits(_CALLED.sub("", _NOT_READ.sub("", text_of(page))))
    title = digits(title)
    contents = (
        "".join(f"{digits(words)}{sheet}" for level, words, sheet in entries if level < depth)
        for depth in range(_DEEPEST + 1)
    )
    starts = [f"{title}{entry}" for entry in contents]
    if any(shown == start + expected for start in starts):
        return
    start = max(starts, key=lambda start: _common(shown, start + expected))
    at = _common(shown, start + expected)
    yield (
        "has other digits than the page",
        f"{_near(text, at)!r}; {expected[at - len(start) :][:12]!r} follow on the page",
    )


def _entries(reader: Any, outline: list[Any], level: int = 0) -> list[tuple[int, str, int]]:
    """Return the level, the words and the page of each heading, as the PDF's own outline has them."""
    entries = []
    for item in outline:
        if isinstance(item, list):
            entries += _entries(reader, item, level + 1)
        else:
            entries.append((level, str(item.title), reader.get_destination_page_number(item) + 1))
    return entries


def _common(one: str, other: str) -> int:
    """Return how many characters two strings begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mark, with_it) in pairs if mark != with_it), min(len(one), len(other)))


def _near(text: str, digit: int) -> str:
    """Return the words around the digit that has `digit` others before it."""
    places = [at for at, mark in enumerate(text) if mark.isnumeric()] or [0]
    at = places[min(digit, len(places) - 1)]
    return " ".join(text[max(0, at - _AROUND) : at + _AROUND].split())
