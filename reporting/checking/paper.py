"""What a PDF shows, compared with the page that was made with it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reporting.checking.page import Element, body_of, digits, origins, text_of, title_block

_LOOSE = re.compile(
    r"[\s\N{SOFT HYPHEN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{ZERO WIDTH SPACE}\N{WORD JOINER}-]"
)
"""What may stand between two letters on paper and not on screen, or the other way around."""

_NOT_READ = re.compile(
    r"[^\n\u0020-\u007e\u00a0-\u058f\u1e00-\u200b\u2010-\u2029\u202f-\u205f\u2070-\u2bff\u2c60-\u2c7f"
    r"\ua720-\ua7ff\ufb00-\ufb06]"
)
"""What cannot be read off paper as it stands on screen.

It is invisible, runs from right to left, changes its shape, or has no letter in a font."""

_AROUND = 40
_DEEPEST = 6


def differences(page: Element, pdf: Path) -> Iterator[tuple[str, str]]:
    """Yield what a PDF shows otherwise than its page, and the words around it.

    What names an origin on the page must follow in the PDF in the same order, and all digits
    of the PDF must be those of the page, but for page numbers and the table of contents. Scripts that
    cannot be read off paper as they stand on screen are left out of both.
    """
    from pypdf import PdfReader

    reader = PdfReader(pdf)
    sheets = (_sheet(sheet.extract_text(), number) for number, sheet in enumerate(reader.pages, start=1))
    text = _NOT_READ.sub("", "\n".join(sheets))
    yield from _missing(page, text)
    yield from _other_digits(page, text, _entries(reader, reader.outline))


def _sheet(text: str, number: int) -> str:
    """Return the text of one sheet without its page number."""
    return re.sub(rf"(?:\A|\n){number}(?: / \d+)?\s*\Z", "", text)


def _missing(page: Element, text: str) -> Iterator[tuple[str, str]]:
    squeezed, position = _LOOSE.sub("", text), 0
    for origin in origins(body_of(page)):
        wanted = _LOOSE.sub("", _NOT_READ.sub("", origin.text))
        found = squeezed.find(wanted, position)
        if found < 0:
            context = squeezed[max(0, position - _AROUND) : position + _AROUND]
            yield f"{origin.text!r} ({origin.path}) is not where it should follow", context
            return  # whatever comes after it would be looked for in the wrong place
        position = found + len(wanted)


def _other_digits(page: Element, text: str, entries: list[tuple[int, str, int]]) -> Iterator[tuple[str, str]]:
    shown, expected = digits(text), digits(_NOT_READ.sub("", text_of(_prose(body_of(page)))))
    title = digits(title_block(page))
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


def _prose(element: Element) -> Element:
    """Return a page's text without its title block and its tables of contents."""
    children = [
        _prose(child) if isinstance(child, Element) else child
        for child in element.children
        if not isinstance(child, Element)
        or (child.tag != "nav" and child.attributes.get("id") != "title-block-header")
    ]
    return Element(element.tag, element.attributes, children)


def _common(one: str, other: str) -> int:
    """Return how many characters two strings begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mark, with_it) in pairs if mark != with_it), min(len(one), len(other)))


def _near(text: str, digit: int) -> str:
    """Return the words around the digit that has `digit` others before it."""
    places = [at for at, mark in enumerate(text) if mark.isnumeric()] or [0]
    at = places[min(digit, len(places) - 1)]
    return " ".join(text[max(0, at - _AROUND) : at + _AROUND].split())
