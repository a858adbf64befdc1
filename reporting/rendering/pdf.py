"""One PDF, set by Typst from a resolved tree.

What is written is what Quarto writes: figures that Typst numbers, references to them, calls of `callout`.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from reporting.labels import Labels, labels_of
from reporting.rendering import pandoc
from reporting.rendering.allowed import image_file
from reporting.rendering.crossref import CALLOUT, FLOAT, REFERENCE, Resolved
from reporting.rendering.pandoc import Node, meta_words, node, plain, raw, transform
from reporting.rendering.project import Options, Page, Site
from reporting.rendering.settings import as_list
from reporting.rendering.source import Markdown
from reporting.rendering.titles import title_block

_SHELL = Path(__file__).with_name("page.typ")
_BEYOND = re.compile(r"[\u0700-\u08ff\u0980-\u1dff\u2e80-\ua71f\ua800-\uf8ff\U0001f000-\U0003ffff]")
"""Scripts and signs that Typst's own fonts lack, such as Chinese, Korean, Thai and emoji."""

_ACCESSIBLE = "ua-1"
_CAPTIONS = {"tbl": "top", "fig": "bottom"}
_TONES = {
    "note": ("0758E5", "dae6fb"),
    "tip": ("00A047", "ccf1e3"),
    "important": ("CC1914", "f7dddc"),
    "warning": ("EB9113", "fcefdc"),
    "caution": ("FC5300", "ffe5d0"),
}
"""Quarto's colours of a callout's edge and ground."""

_DOTS_PER_INCH = 96
_UNSEEN = dict.fromkeys([*range(32), 127], " ")


def source(tree: Resolved, page: Page, site: Site, markdown: Markdown) -> str:
    """The page in Typst's language."""
    assert page.typst is not None
    words = labels_of(page.lang)
    blocks = transform(
        tree.document["blocks"],
        {
            "Cite": lambda cite: cite["c"][1],  # words by now, which the writer would set anew
            "Div": lambda div: _div(div, words),
            "Image": lambda image: [_image(image, site, markdown)],
            "Link": lambda link: [_link(link, words)],
        },
    )
    return pandoc.write(
        tree.document | {"blocks": blocks, "meta": _meta(page, page.typst)},
        "typst",
        f"--template={_SHELL}",
        *(f"--include-in-header={site.root / name}" for name in page.typst.include_in_header),
        *(f"--lua-filter={site.root / name}" for name in page.typst.filters),
    )


def render(typst_source: str, page: Page, root: Path) -> bytes:
    """The PDF; the same bytes for the same source if SOURCE_DATE_EPOCH is set.

    It is PDF/UA-1, which a screen reader can follow, unless something in it, such as a letter that no font
    has, stands against that and no standard was asked for. Scripts that Typst brings no letters for are set
    in fonts of this machine, if it has any.
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
    assert page.typst is not None
    asked = as_list(page.typst.others.get("pdf-standard"))

    def compiled(standards: list[Any]) -> tuple[Any, list[Any]]:
        try:
            return typst.compile_with_warnings(
                typst_source.encode(),
                root=root,  # pyright: ignore[reportArgumentType]  (typst knows paths, its types do not)
                ignore_system_fonts=not beyond,
                pdf_standards=standards,
                timestamp=None if epoch is None else int(epoch),
            )
        except typst.TypstError as error:
            raise UserError(f"{page.name}: Typst cannot set the PDF: {error.args[0]}") from error

    try:
        pdf, warnings = compiled(asked or [_ACCESSIBLE])
    except UserError as error:
        if asked:
            raise
        pdf, warnings = compiled([])  # of what is wrong in any case, this tells
        print(f"{page.name}: the PDF is tagged, but no PDF/UA-1: {error.__cause__}", file=sys.stderr)
    for warning in warnings:
        print(f"{page.name}: Typst says: {warning}", file=sys.stderr)
    assert isinstance(pdf, bytes)
    return pdf


def string(words: str) -> str:
    """A string in Typst's language, in which nothing is markup."""
    return json.dumps(words.translate(_UNSEEN), ensure_ascii=False)


def _div(div: Node, words: Labels) -> list[Node]:
    (identifier, classes, _), blocks = div["c"]
    if classes[:1] == [FLOAT]:
        kind = classes[1]
        caption = raw("typst", f"], caption: figure.caption(position: {_CAPTIONS[kind]}, [")
        end = f'kind: "{FLOAT}-{kind}", supplement: "{words.called(kind)}")<{identifier}>'
        content = transform(blocks[1:], {"Table": lambda table: [_without_figure(table)]})
        return [raw("typst", "#figure(["), *content, caption, blocks[0], raw("typst", f"]), {end}")]
    if classes[:1] == [CALLOUT]:
        edge, ground = _TONES[classes[1].removeprefix("callout-")]
        colours = f'icon_color: rgb("#{edge}"), background_color: rgb("#{ground}")'
        label = f" <{identifier}>" if identifier else ""
        start, middle = raw("typst", f"#block[#callout({colours}, title: ["), raw("typst", "], body: [")
        return [start, blocks[0], middle, *blocks[1:], raw("typst", f"])]{label}")]
    return [div]


def _without_figure(table: Node) -> Node:
    """A table of which Pandoc makes no figure of its own, within the one that it stands in."""
    (identifier, classes, pairs), *rest = table["c"]
    return node("Table", [[identifier, [*classes, "typst:no-figure"], pairs], *rest])


def _image(image: Node, site: Site, markdown: Markdown) -> Node:
    (_, _, pairs), words, (target, _) = image["c"]
    options = dict(pairs)
    path = "/" + image_file(target, markdown, site).relative_to(site.root).as_posix()
    alternative = string(options.get("fig-alt") or plain(words))
    width = options.get("width", "")
    if width.isdecimal():
        width = f"{int(width) / _DOTS_PER_INCH:g}in"
    size = f", width: {width}" if width else ""
    return node("RawInline", ["typst", f"#box(image({string(path)}, alt: {alternative}{size}));"])


def _link(link: Node, words: Labels) -> Node:
    (_, classes, _), _, (target, _) = link["c"]
    if REFERENCE not in classes:
        return link
    anchor = target.removeprefix("#")
    called = words.called(anchor.split("-")[0])
    return node("RawInline", ["typst", f"#ref(<{anchor}>, supplement: [{called}]);"])


def _meta(page: Page, options: Options) -> dict[str, Node]:
    values = {
        "date": page.date,
        "lang": page.lang[:2],
        "region": page.lang[3:],
        "papersize": options.others.get("papersize", "a4"),
        "mainfont": options.others.get("mainfont"),
        "fontsize": options.others.get("fontsize"),
        "section-numbering": options.number_sections and options.others.get("section-numbering", "1.1.a"),
        "toc-shown": str(options.toc).lower(),
        "toc-title": options.toc_title or labels_of(page.lang).contents,
        "toc-depth": str(options.toc_depth),
    }
    sides = options.others.get("margin") or {"x": "1.25in", "y": "1.25in"}
    margin = "".join(f"{side}: {length}, " for side, length in sides.items())
    return {
        **{key: meta_words(value) for key, value in values.items() if value},
        **title_block(page),
        "margin": node("MetaInlines", [node("RawInline", ["typst", margin])]),
    }
