"""What a rendered page shows: its text, what of it names an origin, and what of it is bare."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from reporting.labels import LABELS, labels_of
from reporting.markdown import without_isolates, words

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_UNSEEN = frozenset({"script", "style", "template"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LOST = re.compile(r"\[\^[^]\s]+\]")
"""The mark of a footnote as it is written, and as Pandoc leaves it where there is no such footnote."""
FLOATS = "|".join(re.escape(word) for words in LABELS.values() for word in (words.table, words.figure))
_CAPTION_LABEL = re.compile(rf"\A\s*((?:{FLOATS})\s\d+):")
# Quarto says the kind of a callout before its title, for screen readers.
_STATE = re.compile(r"(?:Warning|Caution)?(?:Missing|Stale): [^\W\d]+(?:,? [^\W\d]+)*")


@dataclass(frozen=True, eq=False)
class Element:
    """One element of a page; `children` are elements and text in order."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"]

    @property
    def classes(self) -> list[str]:
        """The element's classes."""
        return self.attributes.get("class", "").split()


@dataclass(frozen=True)
class Origin:
    """Text that says where it was read (`path`) and in which format (`how`), as its element gives them."""

    path: str
    how: str | None
    text: str


class _Builder(HTMLParser):
    """Builds the tree of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {}, [])]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        depths = [depth for depth, element in enumerate(self.open) if element.tag == tag]
        if depths:
            del self.open[depths[-1] :]

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Element:
    """Return the tree of a page."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.open[0]


def walk(element: Element) -> Iterator[Element]:
    """Yield an element and everything in it, in the order of the page."""
    yield element
    for child in element.children:
        if isinstance(child, Element):
            yield from walk(child)


def without(element: Element, is_left_out: Callable[[Element], bool]) -> Element:
    """Return an element without those in it that are left out."""
    children = [
        without(child, is_left_out) if isinstance(child, Element) else child
        for child in element.children
        if isinstance(child, str) or not is_left_out(child)
    ]
    return Element(element.tag, element.attributes, children)


def is_title_block(element: Element) -> bool:
    """Tell whether an element holds the title, the authors and the date of a page."""
    return element.attributes.get("id") == "title-block-header"


def is_mark_of_note(element: Element) -> bool:
    """Tell whether an element is the number in the text that leads to the footnote of that number."""
    return "footnote-ref" in element.classes and element.attributes.get("href") == f"#fn{text_of(element)}"


def is_notes(element: Element) -> bool:
    """Tell whether an element is the list of a page's footnotes."""
    return "footnotes" in element.classes


def text_of(element: Element) -> str:
    """Return the text of an element, numbers of list items included."""
    if element.tag in _UNSEEN:
        return ""
    texts, position = [], int(element.attributes.get("start", "1"))
    for child in element.children:
        if isinstance(child, str):
            texts.append(child)
            continue
        if element.tag == "ol" and element.attributes.get("type", "1") == "1" and child.tag == "li":
            texts.append(f"{position}. ")
            position += 1
        texts.append(text_of(child))
    return "".join(texts)


def body_of(page: Element) -> Element:
    """Return the part of a page that is its text."""
    bodies = (element for wanted in ("main", "body") for element in walk(page) if element.tag == wanted)
    return next(bodies, page)


def is_redirect(page: Element) -> bool:
    """Tell whether a page only leads to another one: by a refresh, or as Quarto's do by a script alone."""
    elements = list(walk(page))
    if any(element.attributes.get("http-equiv") == "refresh" for element in elements):
        return True
    scripts = [child for element in elements if element.tag == "script" for child in element.children]
    return not text_of(body_of(page)).strip() and any("location.replace" in str(script) for script in scripts)


def origins(page: Element) -> list[Origin]:
    """Return what on a page says where it was read."""
    return [
        Origin(element.attributes["data-from"], element.attributes.get("data-as"), squeezed(text_of(element)))
        for element in walk(page)
        if "data-from" in element.attributes
    ]


def squeezed(text: str) -> str:
    """Return text with single spaces; no-break spaces stay, and what isolates a text goes."""
    return " ".join(words(without_isolates(text)))


def digits(text: str) -> str:
    """Return the numeric characters of a text, of any script: also ½, ² and full-width digits."""
    return "".join(mark for mark in text if mark.isnumeric())


def numbers_in(text: str) -> list[str]:
    """Return the runs of numeric characters in a text, with the points and commas inside them."""
    marks = "".join(mark if mark.isnumeric() or mark in ".," else " " for mark in text)
    return [run for run in (run.strip(".,") for run in marks.split()) if run]


def bare_numbers(page: Element) -> Iterator[tuple[str, str]]:
    """Yield each word with a number that names no origin and is no structure, and the words around it."""
    for text in _bare_texts(page):
        for found in re.finditer(r"\S+", text):
            if digits(found[0]):
                start, end = max(0, found.start() - 40), found.end() + 40
                yield found[0], squeezed(text[start:end])


def lost_marks(page: Element) -> Iterator[tuple[str, str]]:
    """Yield each mark that leads to no footnote, which the page shows as it was written, and where."""
    for text in _bare_texts(page):
        for found in _LOST.finditer(text):
            yield found[0], squeezed(text[max(0, found.start() - 40) : found.end()])


def bare_alternatives(page: Element) -> Iterator[tuple[str, str]]:
    """Yield each number in an alternative text that stands nowhere on the page with its origin.

    An attribute cannot hold a span, so its numbers must be among those of the page.
    """
    known = {run for origin in origins(page) for run in numbers_in(origin.text)}
    for element in walk(body_of(page)):
        for name in ("alt", "title", "aria-label"):
            text = element.attributes.get(name, "")
            yield from ((run, text) for run in numbers_in(text) if run not in known)


def _bare_texts(page: Element) -> Iterator[str]:
    """Return the text of a page that neither names an origin nor is structure."""
    body = body_of(page)
    return _bare(body, "", _labels(body, _language(page)))


def _bare(element: Element, parent: str, labels: dict[str, str]) -> Iterator[str]:
    """Yield the text in an element that neither names an origin nor is structure."""
    if "data-from" in element.attributes or _is_structure(element, parent, labels):
        return
    if _tells_state(element):
        # Its list says what to run and what has changed.
        element = without(element, lambda inner: inner.tag == "ul")
    children = _without_label(element.children) if element.tag == "figcaption" else element.children
    for child in children:
        if isinstance(child, str):
            yield child
        else:
            yield from _bare(child, element.tag, labels)


def _is_structure(element: Element, parent: str, labels: dict[str, str]) -> bool:
    """Tell whether an element is of a kind whose digits are no results.

    These are: the title block, tables of contents and navigation, the numbers of sections and of footnotes,
    code, addresses, citations with the list of what they cite, and cross-references that say what their
    target is called. The other two kinds are the label of a caption and the list of commands in a callout
    about missing or stale results.
    """
    target = element.attributes.get("href", "").removeprefix("#")
    is_address = element.tag == "a" and element.attributes.get("href") == text_of(element)
    return (
        is_address
        or "data-cites" in element.attributes
        or element.attributes.get("id") == "refs"
        or element.tag in _UNSEEN | {"nav", "code", "pre"}
        or is_title_block(element)
        or is_mark_of_note(element)
        or ("header-section-number" in element.classes and parent in _HEADINGS)
        or (element.tag == "a" and labels.get(target) == _plain(text_of(element)))
    )


def _language(page: Element) -> str:
    return next((element.attributes["lang"] for element in walk(page) if "lang" in element.attributes), "en")


def _labels(body: Element, language: str) -> dict[str, str]:
    """Return what each section, table and figure is called in a cross-reference, by its anchor."""
    named = (element for element in walk(body) if element.attributes.get("id"))
    return {element.attributes["id"]: label for element in named if (label := _label(element, language))}


def _label(element: Element, language: str) -> str | None:
    for inner in walk(element):
        if "header-section-number" in inner.classes:
            return f"{labels_of(language).section} {text_of(inner).strip()}"
        if inner.tag == "figcaption":
            found = _CAPTION_LABEL.match(text_of(inner))
            return _plain(found[1]) if found else None
    return None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _without_label(children: list[Element | str]) -> list[Element | str]:
    first, *rest = children or [""]
    return [_CAPTION_LABEL.sub("", first, count=1) if isinstance(first, str) else first, *rest]


def _tells_state(element: Element) -> bool:
    """Tell whether an element is a callout that says which results are missing or stale."""
    if not {"callout", "callout-warning", "callout-caution"} & set(element.classes):
        return False
    headers = (inner for inner in walk(element) if "callout-header" in inner.classes)
    return bool(_STATE.fullmatch(squeezed(text_of(next(headers, Element("", {}, []))))))
