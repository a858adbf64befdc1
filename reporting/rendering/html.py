"""One self-contained HTML page: style, pictures and links are all inside it."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from reporting.labels import labels_of
from reporting.rendering import pandoc
from reporting.rendering.allowed import image_file
from reporting.rendering.crossref import CALLOUT, FLOAT, Resolved
from reporting.rendering.pandoc import (
    Node,
    inlines,
    meta_words,
    node,
    plain,
    raw,
    text,
    transform,
    walk,
)
from reporting.rendering.project import Page, Site
from reporting.rendering.source import Markdown
from reporting.rendering.titles import title_block

_SHELL = Path(__file__).with_name("page.html")
_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}

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


def render(tree: Resolved, page: Page, site: Site, markdown: Markdown) -> str:
    """The page as HTML, from a resolved tree."""
    blocks = transform(
        tree.document["blocks"],
        {
            "Div": lambda div: _div(div, tree.labels),
            "Header": lambda header: [_header(header, tree.sections)],
            "Image": lambda image: [_image(image, site, markdown)],
            "Link": lambda link: [_link(link)],
        },
    )
    options = [
        f"--template={_SHELL}",
        f"--metadata=pagetitle:{plain(inlines(page.title))}",
        f"--metadata=lang:{page.lang}",
    ]
    options += [f"--lua-filter={site.root / name}" for name in page.html.filters]
    if page.html.toc:
        options += ["--toc", f"--toc-depth={page.html.toc_depth}"]
    return pandoc.write(tree.document | {"blocks": blocks, "meta": _meta(page, site)}, "html5", *options)


def redirect(page: Page) -> str:
    """The page that stands under another name and leads to this one, as Quarto writes it for `aliases`."""
    return _REDIRECT.format(lang=page.lang, title=escape(page.title), target=escape(page.html_name))


def _header(header: Node, sections: dict[str, str]) -> Node:
    level, attributes, title = header["c"]
    if attributes[0] not in sections:
        return header
    number = node("Span", [["", ["header-section-number"], []], [node("Str", sections[attributes[0]])]])
    return node("Header", [level, attributes, [number, node("Space"), *title]])


def _div(div: Node, labels: dict[str, str]) -> list[Node]:
    (identifier, classes, _), blocks = div["c"]
    if classes[:1] == [FLOAT]:
        words = [*text(f"{labels[identifier]}:"), node("Space"), *blocks[0]["c"]]
        return _float(identifier, classes[1], node("Plain", words), blocks[1:])
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
    path, hash_sign, anchor = target.partition("#")
    if "://" in target or not path.endswith(".qmd"):
        return link
    address = f"{path.removesuffix('.qmd')}.html{hash_sign}{anchor}"
    return node("Link", [attributes, words, [address, title]])


def _meta(page: Page, site: Site) -> dict[str, Node]:
    """The variables of `page.html`; words go through Pandoc, which escapes them."""
    labels = labels_of(page.lang)
    meta = {
        "site": meta_words(site.title),
        "style": node("MetaBlocks", [raw("html", site.css)]),
        "searched": node("MetaBool", site.searched),
        "scripts": node("MetaList", [_script(script) for script in site.scripts]),
        "labels": node(
            "MetaMap", {key: meta_words(getattr(labels, key)) for key in ("pages", "skip", "formats")}
        ),
        "navigation": node("MetaList", [_entry(href, label, page) for href, label in site.navigation]),
        "contents": meta_words(page.html.toc_title or labels.on_this_page),
    }
    optional = {
        "doc-date": page.date,
        "pdf": page.pdf_name,
        "description": page.description,
    }
    return meta | title_block(page) | {key: meta_words(value) for key, value in optional.items() if value}


def _script(script: str) -> Node:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return node(
        "MetaMap",
        {
            "hash": node("MetaInlines", [node("RawInline", ["html", f"sha256-{digest}"])]),
            "text": node("MetaInlines", [node("RawInline", ["html", script])]),
        },
    )


def search_index(trees: Iterable[tuple[Page, Resolved]]) -> str:
    """The words of all pages, section by section, as a script: a page from a file can load nothing else."""
    return index_of(entry for page, tree in trees for entry in passages(page, tree))


def index_of(entries: Iterable[dict[str, str]]) -> str:
    """The script of passages that `passages` gave."""
    return f"window.searchIndex = {json.dumps([*entries], ensure_ascii=False)};\n"


def passages(page: Page, tree: Resolved) -> Iterator[dict[str, str]]:
    """The words of a page, section by section, with the address of each."""
    title = plain(inlines(page.title))
    href, section, words = page.html_name, title, []
    for item in walk(
        transform(
            tree.document["blocks"], {"Div": lambda div: [] if "card" in pandoc.attributes(div)[1] else [div]}
        )
    ):
        if item["t"] == "Header":
            yield {"href": href, "title": title, "section": section, "text": " ".join(words)}
            href, section, words = f"{page.html_name}#{pandoc.attributes(item)[0]}", plain(item["c"][2]), []
        elif item["t"] in {"Plain", "Para"}:
            words.append(plain(item["c"]))
    yield {"href": href, "title": title, "section": section, "text": " ".join(words)}


def _entry(href: str, label: str, page: Page) -> Node:
    current = {"current": node("MetaBool", True)} if href == page.html_name else {}
    return node("MetaMap", {"href": meta_words(href), "text": meta_words(label)} | current)
