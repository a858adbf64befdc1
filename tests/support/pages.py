"""A small project in a temporary folder, and eyes for its pages."""

import shutil
from html.parser import HTMLParser
from pathlib import Path

from reporting.checking import paper
from reporting.markdown import escape, in_attribute
from reporting.render import render
from reporting.rendering import cells
from reporting.rendering.cells import Draft
from reporting.rendering.source import Markdown
from tests.support.copies import ROOT

CONFIGURATION = """\
project:
  type: website
  output-dir: _site
  render: [report.qmd]
website:
  title: A site
lang: en
jupyter: python3
tbl-colwidths: false
date-format: long
execute: {echo: false}
format:
  html:
    theme: default
    css: [looks/screen.css, style.css]
    include-after-body: [{text: '<script src="looks/screen.js"></script>'}]
    filters: [looks/title.lua, looks/screen.lua]
    toc: true
    number-sections: true
  typst: {include-in-header: looks/print.typ, filters: [looks/title.lua, looks/print.lua]}
"""
FOR_THE_SITE_ONLY = "---\ntitle: More\nformat: {html: default}\n---\n"

FRONT = """\
---
title: A report
author: An Author
date: 2026-05-31
aliases: [index.html]
format:
  html: default
  typst: {toc: true, number-sections: true}
---
"""
FRONT_LINES = FRONT.count("\n")

PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40"/></svg>'
)


class Words(HTMLParser):
    """The words of a page and the addresses that a browser would load or follow."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return "".join(self.text)


class Project:
    """The folder, with the verbs of the tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = root / "_site"
        self.write("_quarto.yml", CONFIGURATION)
        self.write("style.css", ".own { color: #333; }\n")
        self.write("figures/dot.svg", PICTURE)
        shutil.copytree(ROOT / "reporting" / "looks", root / "looks", dirs_exist_ok=True)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def page(self, body: str, name: str = "report.qmd", front: str = FRONT) -> "Project":
        self.write(name, front + body)
        return self

    def render(self) -> "Project":
        render(self.root)
        return self

    def run(self, draft: Draft) -> Markdown:
        """Run the cells of a page of the project."""
        with cells.kernel(self.root) as kernel:
            return kernel.run(draft)

    def html(self, name: str = "report.html") -> str:
        return (self.site / name).read_text(encoding="utf-8")

    def body(self, name: str = "report.html") -> str:
        return self.html(name).split('<main id="content">')[1].split("</main>")[0].strip() + "\n"

    def parsed(self, name: str = "report.html") -> Words:
        parser = Words()
        parser.feed(self.html(name))
        return parser

    def paper(self) -> paper.Paper:
        return paper.read(self.site / "report.pdf")

    def alternatives(self) -> list[str]:
        """The alternative texts of the pictures, without what keeps Quarto from obeying them."""
        texts = [attributes.get("alt") or "" for tag, attributes in self.parsed().tags if tag == "img"]
        return [text.replace("\N{WORD JOINER}", "") for text in texts]

    def pdf_words(self) -> str:
        return " ".join(" ".join(sheet.text for sheet in self.paper().sheets).split())


def with_page(project: Project, name: str, body: str) -> Project:
    """Add a page for the site only, listed and in the navigation."""
    pages = CONFIGURATION.replace("[report.qmd]", f"[report.qmd, {name}.qmd]").replace(
        "  title: A site\n",
        f"  title: A site\n  navbar: {{left: [report.qmd, {{href: {name}.qmd, text: Other}}]}}\n",
    )
    project.write("_quarto.yml", pages)
    return project.page(body, f"{name}.qmd", FOR_THE_SITE_ONLY)


HOSTILE = [
    "<script>alert(1)</script>",
    "{{< env HOME >}}",
    "{{ config }} {% if x %}",
    '#import "@preview/x:1.0.0": *',
    '#read("/etc/passwd")',
    "$x^2$ and $$y$$",
    "costs $5 -- or -1 --- or ... or 3-4",
    "@tbl-a and @doe [@doe]",
    "<tbl-a> ] } ) [ ( {",
    "`code` *em* _em_ **x** ~y~ ^z^ | cell |",
    "::: {.callout-note}",
    "# no heading",
    "1. no list",
    "- no list",
    "= no heading",
    "/ no: term",
    "// no comment /* none */ https://no.link/",
    "\"quoted\" 'single' it's",
    "back\\slash \\u{41} \\",
    "&amp; &#65; &lt;",
    "[x](javascript:alert) ![y](z.svg){fig-alt=a}",
    "\\newpage \\input{x}",
    "[^1] [^1]: x",
]


HOSTILE_PLACES = 6
"""How often a page of hostile texts shows each: in a paragraph, row, caption, note, title and callout."""


def hostile_page() -> str:
    """Write a page with every hostile text, escaped, in each place, and as a picture's alternative text."""
    paragraphs = "".join(f"{escape(text)}\n\n" for text in HOSTILE)
    rows = "".join(f"| {escape(text)} | {at} |\n" for at, text in enumerate(HOSTILE))
    table = f"::: {{#tbl-a}}\n| text | n |\n|---|--:|\n{rows}\n{escape(' and '.join(HOSTILE))}\n:::\n\n"
    notes = "".join(
        f'x[^{at}]\n\n[^{at}]: {escape(text)}\n\n::: {{.callout-note title="{escape(str(escape(text)))}"}}\n'
        f"{escape(text)}\n:::\n\n"
        for at, text in enumerate(HOSTILE)
    )
    pictures = "".join(
        f'![](figures/dot.svg){{fig-alt="{in_attribute(escape(text))}"}}\n\n' for text in HOSTILE
    )
    return paragraphs + table + notes + pictures
