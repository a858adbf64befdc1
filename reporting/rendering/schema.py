"""The settings that are supported, in Quarto's own names; everything else is refused."""

from reporting.rendering import settings
from reporting.rendering.settings import Schema, many, one_of, text, whole_number

DATE_FORMATS = {"long": "{0:%B} {0.day}, {0.year}", "iso": "{0:%Y-%m-%d}"}
"""How a date is shown, by the value of `date-format`."""


def _navigation_item(value: object) -> str | None:
    keys_are_known = isinstance(value, dict) and "href" in value and set(value) <= {"href", "text"}
    return None if isinstance(value, str) or keys_are_known else "a page or {href: page.qmd, text: Page}"


def _format_link(value: object) -> str | None:
    is_link = isinstance(value, dict) and set(value) <= {"format", "text", "icon"}
    return None if is_link or value == "html" else "{format: typst, text: PDF, icon: file-pdf}"


_CONTENTS: Schema = {
    "toc": one_of(True, False),
    "toc-depth": whole_number(1, 6),
    "toc-title": text,
    "number-sections": one_of(True, False),
    "filters": many(text),
}
_FORMATS: Schema = {
    "html": _CONTENTS
    | {"theme": one_of("default", "none"), "css": many(text), "format-links": many(_format_link)},
    "typst": _CONTENTS
    | {
        "include-in-header": many(text),
        "papersize": one_of("a4", "us-letter"),
        "margin": dict.fromkeys(("x", "y", "top", "bottom", "left", "right"), settings.length),
        "mainfont": one_of("Libertinus Serif", "New Computer Modern"),
        "fontsize": settings.length,
        "section-numbering": one_of("1.1", "1.1.1", "1.1.a"),
    },
}
EVERYWHERE: Schema = {
    "lang": one_of("en", "en-GB", "en-US"),
    "execute": {"echo": one_of(False), "warning": one_of(True, False)},
    "jupyter": one_of("python3"),
    "tbl-colwidths": one_of(False),
    "callout-icon": one_of(False),
    "date-format": one_of(*DATE_FORMATS),
}
PROJECT: Schema = EVERYWHERE | {
    "project": {
        "type": one_of("website"),
        "output-dir": text,
        "render": many(text),
        "pre-render": many(text),
    },
    "quarto-required": text,
    "metadata-files": many(text),
    "bibliography": text,
    "citeproc": one_of(True),
    "link-citations": one_of(True),
    "reference-section-title": text,
    "website": {
        "title": text,
        "search": one_of(False),
        "navbar": {
            "left": many(_navigation_item),
            "search": one_of(False),
            "background": text,
            "foreground": text,
        },
    },
    "format": _FORMATS,
}
PAGE: Schema = EVERYWHERE | {
    "title": text,
    "subtitle": text,
    "author": many(text),
    "date": settings.date,
    "description": text,
    "aliases": many(text),
    "format": _FORMATS,
}
