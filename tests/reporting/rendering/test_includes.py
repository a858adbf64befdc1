"""Text that two pages share: included in both, shown in one format alone, and referred to across pages."""

import re

import pytest
from pypdf import PdfReader

from pipeline.errors import UserError
from tests.support.pages import CONFIGURATION, FOR_THE_SITE_ONLY, FRONT_LINES, Project

ON_PAPER = '::: {.content-visible when-format="typst"}\n\n# Appendix {#sec-appendix .unnumbered}\n\n'
INCLUDE = "{{< include _more.qmd >}}\n"
REPORT = f"""# Results {{#sec-results}}

See [the other table](more.qmd#tbl-b), [more](more.qmd#sec-more) and [elsewhere](more.qmd#sec-site).
So it is.[1](more.qmd#row){{.evidence data-card="card-row"}}

::: {{#tbl-a}}

| a |
|---|
| x |

A caption.

:::

{ON_PAPER}
{INCLUDE}
:::
"""
MORE = """Back to [the first table](report.qmd#tbl-a) and to [the results](report.qmd#sec-results).

## More {.unnumbered #sec-more}

::: {#tbl-b}

| [row]{#row} |
|---|
| y |

Another caption, beside @tbl-c.

:::

::: {#tbl-c}

| c |
|---|
| z |

A third caption.

:::
"""


@pytest.fixture
def two(project: Project) -> Project:
    """A report whose PDF has the text of another page as well."""
    project.write("_quarto.yml", CONFIGURATION.replace("[report.qmd]", "[more.qmd, report.qmd]"))
    project.write("style.css", ".evidence { color: #333; }\n")
    project.page(f"{INCLUDE}\n# Site {{#sec-site}}\n", "more.qmd", FOR_THE_SITE_ONLY).page(REPORT)
    project.write("_more.qmd", MORE)
    return project


def test_what_is_included_stands_on_its_page_and_in_the_pdf_of_the_other(two: Project) -> None:
    two.render()
    assert "A third caption" in two.parsed("more.html").words
    assert "A third caption" not in two.parsed().words
    assert "A third caption" in two.pdf_words()


def test_a_reference_to_another_page_is_a_link_on_the_screen(two: Project) -> None:
    two.render()
    for target in ("more.html#tbl-b", "more.html#sec-more", "more.html#row"):
        assert f'href="{target}"' in two.body()
    assert 'href="report.html#tbl-a"' in two.body("more.html")
    assert re.search(r'<sup><a [^>]*class="evidence"[^>]*data-card="card-row"[^>]*>1</a></sup>', two.body())
    assert "Table\u00a01: Another caption, beside Table\u00a02." in two.parsed("more.html").words


def test_a_reference_to_another_page_is_a_cross_reference_on_paper_both_ways(two: Project) -> None:
    two.render()
    words = two.pdf_words()
    assert "See the other table (Table A1), more (page 1) and elsewhere. So it is.1" in words
    assert "Back to the first table (Table 1) and to the results (Section 1)." in words
    assert "Table A1: Another caption, beside Table A2." in words
    links = [
        annotation.get_object()
        for page in PdfReader(two.site / "report.pdf").pages
        for annotation in page.get("/Annots", [])
    ]
    assert len(links) >= 8, "words and numbers alike lead there"
    assert not [link for link in links if "/URI" in str(link.get("/A"))]


@pytest.mark.parametrize(
    ("line", "number", "said"),
    [
        ("x @tbl-none y", 2, "@tbl-none refers to nothing"),
        ("costs $x$", 2, "mathematics"),
        ("```{r}\n1\n```", 2, "{r}"),
        (INCLUDE, 2, "shortcode"),
        ("```{python}\n#| output: asis\n1 / 0\n```", 4, "the cell failed: ZeroDivisionError"),
        ("```{python}\nprint(1)\n```", 2, "needs `#| output: asis`"),
        ("```{python}\n#| fig-cap: x\n1\n```", 3, "'fig-cap' is not supported"),
        (":::", 2, "never opened"),
    ],
)
def test_an_error_in_what_is_included_names_that_file_and_its_line(
    project: Project, line: str, number: int, said: str
) -> None:
    project.page("\nx\n\n" + INCLUDE).write("_more.qmd", f"\n{line}\n")
    with pytest.raises(UserError) as caught:
        project.render()
    assert str(caught.value).startswith(f"_more.qmd:{number}: "), caught.value
    assert said in str(caught.value)


def test_an_error_after_what_is_included_names_the_line_of_the_page(project: Project) -> None:
    project.page(f"{INCLUDE}\n@tbl-none\n").write("_more.qmd", "x\n\ny\n\nz\n")
    with pytest.raises(UserError, match=rf"^report\.qmd:{FRONT_LINES + 3}: @tbl-none"):
        project.render()


@pytest.mark.parametrize(
    ("attributes", "on_screen", "on_paper"),
    [
        ('.content-visible when-format="html"', True, False),
        ('.content-visible when-format="typst"', False, True),
        ('.content-visible unless-format="html"', False, True),
        ('.content-visible unless-format="typst"', True, False),
        ('.content-hidden when-format="html"', False, True),
        ('.content-hidden when-format="typst"', True, False),
        ('.content-hidden unless-format="html"', True, False),
        ('.content-hidden unless-format="typst"', False, True),
    ],
)
def test_what_is_for_one_format_alone_is_shown_and_numbered_in_that_alone(
    project: Project, attributes: str, on_screen: bool, on_paper: bool
) -> None:
    project.page(
        f"::: {{{attributes}}}\n\n# Here {{#sec-here}}\n\n:::\n\n# There {{#sec-there}}\n\n@sec-there\n"
    )
    project.render()
    screen, paper = project.parsed().words, project.pdf_words()
    assert ("Here" in screen, "Here" in paper) == (on_screen, on_paper)
    assert f"Section\u00a0{2 if on_screen else 1}" in screen
    assert f"Section {2 if on_paper else 1}" in paper.replace("\u00a0", " ")


def test_cards_and_what_is_for_the_screen_are_not_on_paper(project: Project) -> None:
    project.write("style.css", ".card { display: none; } .on-screen { display: block; }\n")
    project.page("::: {.card #card-a}\nA card.\n:::\n\n::: {.on-screen}\nHere.\n:::\n\nText.\n").render()
    assert "A card." in project.parsed().words and "Here." in project.parsed().words
    assert project.pdf_words().endswith("Text.")
    assert "A card." not in project.pdf_words() and "Here." not in project.pdf_words()
