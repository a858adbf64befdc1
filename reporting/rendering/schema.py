"""The settings that are supported, in Quarto's own names; everything else is refused."""

import re

from reporting.labels import LABELS
from reporting.rendering import settings
from reporting.rendering.settings import Schema, many, one_of, text, whole_number

_SCRIPT = re.compile(r'<script src="([\w./-]+\.js)"></script>')


def script_of(tag: str) -> str | None:
    """Return the file of a script that a line of HTML brings in, if it does nothing else."""
    found = _SCRIPT.fullmatch(tag)
    return found and found[1]


def _script(value: object) -> str | None:
    is_script = isinstance(value, dict) and set(value) == {"text"} and script_of(str(value["text"]))
    return None if is_script else """{text: '<script src="folder/name.js"></script>'}"""


def _navigation_item(value: object) -> str | None:
    keys_are_known = isinstance(value, dict) and "href" in value and set(value) <= {"href", "text"}
    return None if isinstance(value, str) or keys_are_known else "a page or {href: page.qmd, text: Page}"


def _theme(value: object) -> str | None:
    both = isinstance(value, dict) and set(value) == {"light", "dark"}
    return None if both or value in {"default", "none"} else "default or none or {light: …, dark: …}"


def _author(value: object) -> str | None:
    parts = (
        {key: part for key, part in value.items() if text(part) is None} if isinstance(value, dict) else {}
    )
    good = text(value) is None or ("name" in parts and parts == value and set(parts) <= {"name", "student"})
    return None if good else 'a name or {name: A Name, student: "1234567"}'


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
    | {
        "theme": _theme,
        "respect-user-color-scheme": one_of(True, False),
        "css": many(text),
        "include-after-body": many(_script),
        "format-links": many(_format_link),
    },
    "typst": _CONTENTS
    | {
        "include-in-header": many(text),
        "papersize": one_of("a4", "us-letter"),
        "margin": dict.fromkeys(("x", "y", "top", "bottom", "left", "right"), settings.length),
        "mainfont": one_of("Libertinus Serif", "New Computer Modern"),
        "fontsize": settings.length,
        "section-numbering": one_of("1.1", "1.1.1", "1.1.a"),
        "pdf-standard": one_of("ua-1"),
    },
}
EVERYWHERE: Schema = {
    "lang": one_of(*LABELS, "en-GB", "en-US"),
    "execute": {"echo": one_of(False), "warning": one_of(True, False)},
    "jupyter": one_of("python3"),
    "tbl-colwidths": one_of(False),
    "callout-icon": one_of(False),
    "date-format": one_of("long", "iso"),
}
PROJECT: Schema = EVERYWHERE | {
    "project": {
        "type": one_of("website"),
        "output-dir": text,
        "render": many(text),
        "pre-render": many(text),
        "resources": many(text),
    },
    "quarto-required": text,
    "metadata-files": many(text),
    "bibliography": text,
    "citeproc": one_of(True),
    "link-citations": one_of(True),
    "reference-section-title": text,
    "website": {
        "title": text,
        "search": one_of(True, False),
        "navbar": {"left": many(_navigation_item)},
    },
    "format": _FORMATS,
}
PAGE: Schema = EVERYWHERE | {
    "title": text,
    "subtitle": text,
    "author": many(_author),
    "course": text,
    "assignment": text,
    "date": settings.date,
    "description": text,
    "aliases": many(text),
    "format": _FORMATS,
}
