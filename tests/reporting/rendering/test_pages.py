"""The pages: numbered alike in both outputs, self-contained, the same every time, and as expected."""

import base64
import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest
from pypdf import PdfReader

from pipeline.errors import UserError
from reporting.rendering import allowed, cells, crossref, pandoc, pdf
from reporting.rendering import project as projects
from reporting.rendering.output import MARK
from tests.support.pages import CONFIGURATION, FRONT, FRONT_LINES, Project, with_page

GOLDEN = Path(__file__).with_name("golden")

BODY = """\
As @sec-results and @tbl-b say, *before* @fig-a.[^1]

[^1]: A note, see @tbl-a.

# First {#sec-first}

::: {#tbl-a}
| name | share |
|:-----|------:|
| one | [70.6 %]{data-from="vit.top1.value"} |
| two | -1.5 |

Caption of *a*.
:::

## Inner {#sec-inner}

::: {.callout-note title="A `title` with *marks*"}
Within.
:::

::: {.callout-warning}
## From a heading
Within.
:::

## Other

# Not counted {.unnumbered}

# Results {#sec-results}

::: {#fig-a}
![](figures/dot.svg){fig-alt="A \\"dark\\" box" width=50%}

Caption of a picture.
:::

::: {#tbl-b}
| x |
|---|
| a "quotation" -- and it's `code` |

Another.
:::

> Quoted.

1. One
2. Two, in @sec-inner of [this page](report.qmd).

```python
x = {"a": 1}
```
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A page of everything, rendered; to be looked at only."""
    return Project(tmp_path_factory.mktemp("small")).page(BODY).render()


def test_numbers_and_references_agree_between_html_and_pdf(small: Project) -> None:
    html, paper = " ".join(small.parsed().words.split()), small.pdf_words()
    for sentence in (
        "As Section 2 and Table 2 say, before Figure 1.",
        "A note, see Table 1.",
        "Table 1: Caption of a.",
        "Figure 1: Caption of a picture.",
        "Table 2: Another.",
        "1.1 Inner",
        "1.2 Other",
        "2 Results",
        "Two, in Section 1.1 of this page.",
    ):
        assert sentence in html, sentence
        assert sentence in paper.replace("\u00a0", " "), sentence
    assert "2 Not counted" not in html
    assert "From a heading" not in str([tag for tag in small.parsed().tags if tag[0] == "h2"])


def test_headings_of_the_pdf_outline_are_those_of_the_page(small: Project) -> None:
    body = small.body()
    contents = [title for _, title, _ in small.paper().entries if title != "Table of contents"]
    assert contents == ["1 First", "1.1 Inner", "1.2 Other", "Not counted", "2 Results"]
    positions = [body.index(title.split(" ", 1)[-1] + "</h") for title in contents]
    assert positions == sorted(positions)


def made(project: Project) -> set[str]:
    return {path.name for path in project.site.iterdir()} - {MARK}


def test_the_page_is_marked_in_its_navigation_and_leads_to_its_pdf(project: Project) -> None:
    with_page(project.page("[there](more.qmd#x)\n"), "more", "# X\n").render()
    assert made(project) == {"index.html", "more.html", "report.html", "report.pdf", "search.js"}
    links = [attributes for tag, attributes in project.parsed().tags if tag == "a"]
    assert {"href": "report.html", "aria-current": "page"} in links
    assert {"href": "more.html"} in links
    assert {"href": "report.pdf"} in links
    assert {"href": "more.html#x"} in links
    more = [attributes for tag, attributes in project.parsed("more.html").tags if tag == "a"]
    assert {"href": "more.html", "aria-current": "page"} in more
    assert {"href": "report.pdf"} not in more
    assert 'content="0; url=report.html"' in project.html("index.html")


def test_a_page_loads_nothing_and_runs_nothing_but_the_projects_script(project: Project) -> None:
    project.page(BODY + "\n[out](https://example.org/)\n").render()
    for tag, attributes in project.parsed().tags:
        assert tag not in {"link", "iframe", "object", "base"}
        assert not any(key.startswith("on") for key in attributes)
        for key in ("src", "srcset", "data", "style", "poster"):
            assert (attributes.get(key) or "data:").startswith(("data:", "width:", "text-align:"))
    assert [attributes for tag, attributes in project.parsed().tags if tag == "script"] == [{}]
    script = re.findall("<script>(.*?)</script>", project.html(), re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in project.html()
    assert "url(" not in project.html()
    assert ".own { color: #333; }" in project.html(), "the style of the project is within the page"


def test_page_and_pdf_know_their_language_and_the_pdf_its_title_and_author(small: Project) -> None:
    assert ("html", {"lang": "en"}) in small.parsed().tags
    reader = PdfReader(small.site / "report.pdf")
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("A report", "An Author")
    assert reader.root_object["/Lang"] == "en"
    assert "May 31, 2026" in small.pdf_words()


def test_what_is_not_foreseen_leaves_the_site_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.page("x\n").write("_site/report.html", "the last good page")
    monkeypatch.setattr(pdf, "render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        project.render()
    assert project.html() == "the last good page"
    assert not any((project.root / ".cache").iterdir())


def test_renders_at_the_same_time_leave_one_whole_site_and_no_old_page(project: Project) -> None:
    project.page("x\n").write("_site/report.html", "old")
    project.write("_site/gone.html", "old")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: project.render(), range(8)))
    assert made(project) == {"index.html", "report.html", "report.pdf", "search.js"}
    assert not any((project.root / ".cache").iterdir())


def test_a_first_block_beside_the_rest_is_two_columns_on_paper_and_a_div_on_the_screen(
    project: Project,
) -> None:
    project.write("style.css", ".beside { display: grid; }\n")
    table = "| a |\n|---|\n| within |\n"
    project.page(
        f'::: {{.beside}}\n![](figures/dot.svg){{fig-alt="dot" width=40}}\n\nTitle\n\n{table}:::\n\nEnd.\n'
    )
    assert '<div class="beside">\n<p><img' in project.render().body()
    first, rest = _typst(project).split("#beside[")[1].split("][")
    assert "image(" in first
    assert "Title" not in first
    assert rest.index("Title") < rest.index("within") < rest.index("End.")
    assert "Title" in project.pdf_words()


def test_a_title_and_names_are_markdown_as_in_quarto(project: Project) -> None:
    front = FRONT.replace("A report", '"It\'s *the* report -- 1"').replace("An Author", "Ünal -- Two")
    project.page("x\n", front=front).render()
    assert '<h1 class="title">It’s <em>the</em> report – 1</h1>' in project.html()
    assert "<title>It’s the report – 1</title>" in project.html()
    assert "It’s the report – 1" in project.pdf_words()
    assert "Ünal – Two" in project.pdf_words()


@pytest.mark.parametrize("name", ["more", "prüf", "a.b-c_d"])
def test_a_link_to_a_page_that_no_pdf_has_is_its_words_on_paper(project: Project, name: str) -> None:
    project.page(f"[to a place]({name}.qmd#a), [to a page]({name}.qmd), [away](https://a.b/c.qmd).\n")
    with_page(project, name, "# A {#a}\n").render()
    assert f'href="{name}.html#a"' in unquote(project.html())
    assert "to a place, to a page, away." in project.pdf_words()
    addresses = [
        annotation.get_object()["/A"].get("/URI")
        for annotation in PdfReader(project.site / "report.pdf").pages[0].get("/Annots", [])
    ]
    assert addresses == ["https://a.b/c.qmd"]


def test_words_in_narrow_columns_may_break_and_do_not_lie_over_the_next(project: Project) -> None:
    words = ("convolutional_neural_network_small", "q_proj_k_proj_v_proj_o_proj_gate")
    row = " | ".join([*words, *"abcdef"])
    project.page(f"| {' | '.join('abcdefgh')} |\n|{'---|' * 8}\n| {row} |\n").render()
    boxes = [box for box in project.paper().sheets[0].words if "_" in box.text]
    assert boxes
    assert max(box.right - box.left for box in boxes) < 130


def test_a_page_that_is_nested_too_deep_is_one_sentence(project: Project) -> None:
    project.page(f"# One\n\n{'>' * 3_000} deep\n")
    with pytest.raises(UserError, match=r"^report\.qmd: what it has within each other is too deep"):
        project.render()


@pytest.mark.parametrize("deep", ["[" * 20_000, "[" * 30 + "x" + "]" * 30, r"\[ [x](#sec-a) " + "a [b " * 40])
def test_brackets_in_which_pandoc_finds_no_end_are_named_by_their_line(
    project: Project, deep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pandoc, "PATIENCE", 3)
    project.page(f"# One {{#sec-a}}\n\n[x](#sec-a) and [[y]{{.z}}](#sec-a)\n\n{deep}\n")
    with pytest.raises(UserError, match=rf"^report\.qmd:{FRONT_LINES + 5}: .*Pandoc found no end in 3 s"):
        project.render()


def test_an_empty_div_with_nothing_to_stand_beside_stops_nothing(project: Project) -> None:
    project.write("style.css", ".beside { display: grid; }\n")
    project.page("::: {.beside}\n:::\n\nEnd.\n").render()
    assert "End." in project.pdf_words()


def _typst(project: Project) -> str:
    site = projects.load(project.root)
    markdown = project.run(cells.draft(site.pages[0], site.root))
    document = crossref.with_titles(pandoc.read(markdown.text)[0])
    allowed.check(document, markdown, site)
    resolved = crossref.resolve(crossref.for_format(document, "typst"), markdown, number_sections=True)
    return pdf.source(resolved, site.pages[0], site, markdown).split("// The text of the page\n")[1]


def test_a_small_page_is_as_in_the_golden_files(small: Project) -> None:
    """Run with GOLDEN=write to accept a change, and read the difference."""
    for name, text in (("body.html", small.body()), ("body.typ", _typst(small))):
        if os.environ.get("GOLDEN") == "write":
            (GOLDEN / name).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / name).read_text(encoding="utf-8")


COURSE = """\
---
title: A report
subtitle: For the course
author: [{name: Ada *Example*, student: "0012345"}, Bob Example, {name: Eve Example, student: s-77}]
course: Vision 101
assignment: Assignment 2
date: 2026-05-31
format:
  html: default
  typst: {papersize: us-letter, number-sections: true}
---
"""


def test_the_title_block_has_authors_with_their_numbers_the_course_and_the_assignment(
    project: Project,
) -> None:
    project.page("x\n", front=COURSE).render()
    title = project.html().split('<header id="title-block-header">')[1].split("</header>")[0]
    title = " ".join(re.sub("<[^>]+>", " ", title).split()).replace(" ,", ",")
    names = "Ada Example (0012345), Bob Example, Eve Example (s-77)"
    for place in (title, project.pdf_words()):
        assert "For the course" in place
        assert "Vision 101 · Assignment 2" in place
        assert names in place
    reader = PdfReader(project.site / "report.pdf")
    assert reader.metadata is not None
    assert reader.metadata.author == names
    assert reader.pages[0].mediabox.width == 612


def test_labels_and_dates_are_in_the_language_of_the_project(project: Project) -> None:
    """Another language is data: a section of labels.toml."""
    project.write("_quarto.yml", CONFIGURATION.replace("lang: en", "lang: de"))
    project.page(BODY).render()
    html, paper = (" ".join(text.split()) for text in (project.parsed().words, project.pdf_words()))
    for words in (
        "Kapitel 2 and",
        "Abbildung 1: Caption of a picture.",
        "Tabelle 2: Another.",
        "31. Mai 2026",
    ):
        assert words in html, words
        assert words in paper.replace("\u00a0", " "), words
    for words in ("Auf dieser Seite", "Andere Formate: PDF", "Zum Text"):
        assert words in html
    assert ("html", {"lang": "de"}) in project.parsed().tags
    assert PdfReader(project.site / "report.pdf").root_object["/Lang"] == "de"
