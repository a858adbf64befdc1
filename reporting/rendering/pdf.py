"""One PDF, set by Typst from a resolved tree."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from experiments.errors import UserError
from reporting.rendering import pandoc
from reporting.rendering.allowed import image_file
from reporting.rendering.crossref import CALLOUT, FLOAT
from reporting.rendering.html import page_link
from reporting.rendering.pandoc import Node, node, plain, raw, transform
from reporting.rendering.project import Options, Page, Site
from reporting.rendering.source import Markdown

_SHELL = Path(__file__).with_name("page.typ")
# Words in which Typst finds no shorthand. It would make a minus of `-1`, a dash of `--`, an ellipsis of `...`
# and a field of `.x` after a `]`; Pandoc does not prevent it. Any other word is written as a string.
_SAFE_WORD = re.compile(r"[^\W_]+([.,:’][^\W_]+|-[^\W\d_]+)*[,;:.%]?")
_LONGEST_WORD, _PART = 36, 12
_MAY_BREAK = "\N{ZERO WIDTH SPACE}"
_BEYOND = re.compile(r"[\u0700-\u08ff\u0980-\u1dff\u2e80-\ua71f\ua800-\uf8ff\U0001f000-\U0003ffff]")
"""Scripts and signs that Typst's own fonts lack, such as Chinese, Korean, Thai and emoji."""

BESIDE = "beside"
"""The class of a div whose first block stands beside the rest; Quarto sets them one below the other."""

_UNSEEN = dict.fromkeys([*range(32), 127], " ")


def source(tree: Node, page: Page, site: Site, markdown: Markdown) -> str:
    """The page in Typst's language."""
    blocks = transform(
        tree["blocks"],
        {
            "Div": _div,
            "Image": lambda image: [_image(image, site, markdown)],
            "Link": lambda link: [_link(link)],
            "Str": lambda item: [word(item)],
        },
    )
    meta = node("MetaInlines", [node("RawInline", ["typst", _meta(page)])])
    return pandoc.write(
        tree | {"blocks": blocks, "meta": {"meta": meta}}, "typst-smart", f"--template={_SHELL}"
    )


def render(typst_source: str, page: Page, root: Path) -> bytes:
    """The PDF; the same bytes for the same source if SOURCE_DATE_EPOCH is set.

    Scripts that Typst brings no letters for are set in fonts of this machine, if it has any.
    """
    import typst

    beyond = _BEYOND.search(typst_source)
    if beyond:
        print(
            f"{page.name}: the PDF sets {beyond[0]!r} and the like in fonts of this machine; where it has "
            "none, boxes stand for them, and the HTML page alone can be read.",
            file=sys.stderr,
        )
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is not None and not epoch.isdecimal():
        raise UserError(f"SOURCE_DATE_EPOCH must be a number of seconds, not {epoch!r}.")
    try:
        pdf, warnings = typst.compile_with_warnings(
            typst_source.encode(),
            root=root,  # pyright: ignore[reportArgumentType]  (typst knows paths, its types do not)
            ignore_system_fonts=not beyond,
            timestamp=None if epoch is None else int(epoch),
        )
    except typst.TypstError as error:
        raise UserError(f"{page.name}: Typst cannot set the PDF: {error.args[0]}") from error
    for warning in warnings:
        print(f"{page.name}: Typst says: {warning}", file=sys.stderr)
    assert isinstance(pdf, bytes)
    return pdf


def string(words: str) -> str:
    """A string in Typst's language, in which nothing is markup."""
    return json.dumps(words.translate(_UNSEEN), ensure_ascii=False)


def word(item: Node) -> Node:
    """A word in which Typst sees no markup; one that is longer than words are may break."""
    words = item["c"]
    if len(words) <= _LONGEST_WORD:
        return item if _SAFE_WORD.fullmatch(words) else node("RawInline", ["typst", f"#{string(words)};"])
    parts = (words[start : start + _PART] for start in range(0, len(words), _PART))
    return node("RawInline", ["typst", f"#{string(_MAY_BREAK.join(parts))};"])


def _div(div: Node) -> list[Node]:
    (identifier, classes, _), (first, *rest) = div["c"][0], div["c"][1] or [node("Plain", [])]
    label = f" <{identifier}>" if identifier else ""
    if classes[:1] == [FLOAT]:
        return [raw("typst", f"#{classes[1]}["), first, raw("typst", "]["), *rest, raw("typst", f"]{label}")]
    if classes[:1] == [CALLOUT]:
        kind = classes[1].removeprefix("callout-")
        start = raw("typst", f"#callout({string(kind)})[")
        return [start, first, raw("typst", "]["), *rest, raw("typst", f"]{label}")]
    if classes[:1] == [BESIDE]:
        return [raw("typst", "#beside["), first, raw("typst", "]["), *rest, raw("typst", f"]{label}")]
    return [div]


def _image(image: Node, site: Site, markdown: Markdown) -> Node:
    (_, _, pairs), words, (target, _) = image["c"]
    options = dict(pairs)
    path = "/" + image_file(target, markdown, site).relative_to(site.root).as_posix()
    alternative = string(options.get("fig-alt") or plain(words))
    width = options.get("width", "")
    if width.endswith("px"):
        width = f"{int(width.removesuffix('px')) * 0.75:g}pt"
    size = f", width: {width}" if width else ""
    return node("RawInline", ["typst", f"#box(image({string(path)}, alt: {alternative}{size}));"])


def _link(link: Node) -> Node:
    attributes, words, (target, title) = link["c"]
    return node("Link", [attributes, words, [page_link(target), title]])


def _meta(page: Page) -> str:
    assert page.typst is not None
    options: Options = page.typst
    values: dict[str, str] = {
        "title": string(page.title),
        "subtitle": string(page.subtitle) if page.subtitle else "none",
        "authors": "(" + "".join(f"{string(author)}, " for author in page.authors) + ")",
        "date": string(page.date) if page.date else "none",
        "region": string(page.lang[3:]) if page.lang[3:] else "none",
        "toc": str(options.toc).lower(),
        "toc_depth": str(options.toc_depth),
        "toc_title": string(options.toc_title),
        "paper": string(options.others.get("papersize", "a4")),
        "margin": _margin(options.others.get("margin", {})),
        "font": string(options.others.get("mainfont", "Libertinus Serif")),
        "size": options.others.get("fontsize", "10.5pt"),
    }
    return "(" + ", ".join(f"{key}: {value}" for key, value in values.items()) + ")"


def _margin(sides: dict[str, Any]) -> str:
    given = sides or {"x": "2.4cm", "y": "2.4cm"}
    return "(" + ", ".join(f"{side}: {length}" for side, length in given.items()) + ",)"
