"""One self-contained HTML page: style, pictures and links are all inside it."""

import base64
import re
from html import escape
from pathlib import Path

from reporting.rendering import pandoc
from reporting.rendering.allowed import image_file
from reporting.rendering.crossref import CALLOUT, FLOAT
from reporting.rendering.pandoc import Node, node, plain, raw, text, transform
from reporting.rendering.project import Page, Site
from reporting.rendering.source import Markdown

_SHELL = Path(__file__).with_name("page.html")
_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_WIDE = 5

_REDIRECT = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="canonical" href="{target}">
<meta http-equiv="refresh" content="0; url={target}">
</head>
<body><p>This page is <a href="{target}">{title}</a>.</p></body>
</html>
"""


def render(tree: Node, page: Page, site: Site, markdown: Markdown) -> str:
    """The page as HTML, from a resolved tree."""
    blocks = transform(
        tree["blocks"],
        {
            "Div": _div,
            "Table": _table,
            "Image": lambda image: [_image(image, site, markdown)],
            "Link": lambda link: [_link(link)],
        },
    )
    options = [f"--template={_SHELL}", f"--metadata=pagetitle:{page.title}", f"--metadata=lang:{page.lang}"]
    if page.html.toc:
        options += ["--toc", f"--toc-depth={page.html.toc_depth}"]
    written = pandoc.write(tree | {"blocks": blocks, "meta": _meta(page, site)}, "html5", *options)
    # Every head of a pipe table stands over a column; Pandoc does not say so. Text cannot hold a bare `<`.
    return re.sub(r"<th(?=[ >])", '<th scope="col"', written)


def redirect(page: Page) -> str:
    """The page that stands under another name and leads to this one, as Quarto writes it for `aliases`."""
    return _REDIRECT.format(lang=page.lang, title=escape(page.title), target=escape(page.html_name))


def _div(div: Node) -> list[Node]:
    (identifier, classes, _), blocks = div["c"]
    if classes[:1] == [FLOAT]:
        return _float(identifier, classes[1], blocks[0], blocks[1:])
    if classes[:1] == [CALLOUT]:
        header = node("Div", [["", ["callout-header"], []], blocks[:1]])
        body = node("Div", [["", ["callout-body"], []], blocks[1:]])
        attributes = [identifier, classes, [["role", "note"]]]
        return [node("Div", [attributes, [header, body]])]
    return [div]


def _float(identifier: str, kind: str, caption: Node, blocks: list[Node]) -> list[Node]:
    words = [raw("html", "<figcaption>"), caption, raw("html", "</figcaption>")]
    start = raw("html", f'<figure id="{escape(identifier)}" class="{FLOAT} {FLOAT}-{kind}">')
    end = raw("html", "</figure>")
    return [start, *words, *blocks, end] if kind == "tbl" else [start, *blocks, *words, end]


def _table(table: Node) -> list[Node]:
    # A table that is wider than a phone scrolls in its own frame, which the keyboard can reach.
    attributes, caption, columns, *rest = table["c"]
    classes = [*attributes[1], "wide"] if len(columns) >= _WIDE else attributes[1]
    table = node("Table", [[attributes[0], classes, attributes[2]], caption, columns, *rest])
    start = raw("html", '<div class="table-scroll" role="group" aria-label="Table" tabindex="0">')
    return [start, table, raw("html", "</div>")]


def _image(image: Node, site: Site, markdown: Markdown) -> Node:
    (_, _, pairs), words, (target, title) = image["c"]
    file = image_file(target, markdown, site)
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    options = dict(pairs)
    alternative = options.get("fig-alt") or plain(words)
    width = [["width", options["width"]]] if "width" in options else []
    media = _MEDIA[file.suffix.lower()]
    return node("Image", [["", [], width], text(alternative), [f"data:{media};base64,{data}", title]])


def _link(link: Node) -> Node:
    attributes, words, (target, title) = link["c"]
    return node("Link", [attributes, words, [page_link(target), title]])


def page_link(target: str) -> str:
    """The address in the site of a link to a `.qmd` page; any other address as it is."""
    path, hash_sign, anchor = target.partition("#")
    if "://" in target or not path.endswith(".qmd"):
        return target
    return f"{path.removesuffix('.qmd')}.html{hash_sign}{anchor}"


def _meta(page: Page, site: Site) -> dict[str, Node]:
    """The variables of `page.html`; words go through Pandoc, which escapes them."""
    meta = {
        "site": _words(site.title),
        "doc-title": _words(page.title),
        "style": node("MetaBlocks", [raw("html", site.css)]),
        "navigation": node("MetaList", [_entry(href, label, page) for href, label in site.navigation]),
        "authors": node("MetaList", [_words(author) for author in page.authors]),
        "contents": _words(page.html.toc_title),
    }
    optional = {
        "doc-subtitle": page.subtitle,
        "doc-date": page.date,
        "pdf": page.pdf_name,
        "description": page.description,
    }
    return meta | {key: _words(value) for key, value in optional.items() if value}


def _entry(href: str, label: str, page: Page) -> Node:
    current = {"current": node("MetaBool", True)} if href == page.html_name else {}
    return node("MetaMap", {"href": _words(href), "text": _words(label)} | current)


def _words(words: str) -> Node:
    return node("MetaInlines", [node("Str", words)])
