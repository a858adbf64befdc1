"""Whatever the renderer cannot show is refused by file and line, and the last good site stays."""

import pytest

from pipeline.errors import UserError
from tests.support.pages import CONFIGURATION, FRONT_LINES, Project, with_page

TABLE = "::: {#tbl-a}\n| a |\n|---|\n| 1 |\n\nCaption.\n:::\n"

# Each body offends on the line that holds the word or mark given beside it.
UNSUPPORTED = {
    "a shortcode": ("Text.\n\n{{< video a.mp4 >}}\n", 3, "shortcode"),
    "an include of nothing": ("x\n\n{{< include _other.qmd >}}\n", 3, "no file _other.qmd"),
    "an include from elsewhere": ("{{< include ../_other.qmd >}}\n", 1, "no file ../_other.qmd"),
    "an include within a line": ("x\n\nx {{< include _other.qmd >}}\n", 3, "shortcode"),
    "a shortcode in shown code": ("```python\nx = 1\n{{< env HOME >}}\n```\n", 3, "shortcode"),
    "inline Python over two lines": ("One.\nTwo `{python} 1 +\n1`.\n", 2, "inline code"),
    "inline Python without a space": ("One.\nTwo `{python}1`.\n", 2, "inline code"),
    "inline R": ("One.\nTwo `r 1 + 1`.\n", 2, "inline code"),
    "a cell in R": ("\n```{r}\n1\n```\n", 2, "{r}"),
    "an escaped cell": ("\n```{{python}}\n1\n```\n", 2, "{{python}}"),
    "a cell with knitr options": ("```{python, echo=FALSE}\n1\n```\n", 1, "{python, echo=FALSE}"),
    "an indented cell": ("- x\n\n  ```{python}\n  1\n  ```\n", 3, "beginning of its line"),
    "an unknown cell option": (
        "```{python}\n#| output: asis\n#| fig-cap: x\n1\n```\n",
        3,
        "'fig-cap' is not supported",
    ),
    "a cell that shows its code": ("```{python}\n#| echo: true\n1\n```\n", 2, "'echo' is True"),
    "an unknown output": ("```{python}\n#| output: true\n1\n```\n", 2, "'asis' or false"),
    "an unclosed cell": ("x\n\n```{python}\n1\n", 3, "never closed"),
    "tabs": ("x\n\n::: {.panel-tabset}\n## A\n:::\n", 3, ".panel-tabset"),
    "columns": (":::: {.columns}\n::: {.column width=50%}\nx\n:::\n::::\n", 1, ".columns"),
    "a bare div class": ("x\n\n::: panel-tabset\nx\n:::\n", 3, ".panel-tabset"),
    "conditional content for another format": (
        '::: {.content-visible when-format="pdf"}\nx\n:::\n',
        1,
        ".content-visible",
    ),
    "content for a profile": ('x\n\n::: {.content-hidden when-profile="a"}\nx\n:::\n', 3, ".content-hidden"),
    "content on no condition": ("x\n\n::: {.content-hidden}\nx\n:::\n", 3, ".content-hidden"),
    "content on two conditions": (
        '::: {.content-visible when-format="html" unless-format="typst"}\nx\n:::\n',
        1,
        ".content-visible",
    ),
    "a layout": ("x\n\n::: {layout-ncol=2}\nx\n:::\n", 3, "layout-ncol"),
    "a collapsing callout": ("::: {.callout-note collapse=true}\nx\n:::\n", 1, "collapse"),
    "an unclosed div": ("x\n\n::: {.own}\nx\n", 3, "unclosed|closing implicitly"),
    "a div closed twice": ("::: {.own}\nx\n:::\n\n:::\n", 5, "never opened"),
    "raw HTML": ("x\n\n```{=html}\n<b>\n```\n", 3, "raw {=html}"),
    "an HTML tag": ("x\n\ny <b>z</b>\n", 3, "raw html"),
    "an HTML block": ("x\n\n<table><tr><td>1</td></tr></table>\n", 3, "raw html"),
    "raw LaTeX": ("x\n\n\\newpage\n", 3, "raw tex"),
    "a citation": ("x `@doe`\n\nSee @doe.\n", 3, "citation"),
    "a citation in brackets": ("x\n\nSee [@doe].\n", 3, "citation"),
    "inline mathematics": ("costs \\$5\n\nand $x^2$.\n", 3, "mathematics"),
    "displayed mathematics": ("x\n\n$$x$$\n", 3, "mathematics"),
    "a reference to nothing": ("x\n\nSee @tbl-none.\n", 3, "@tbl-none refers to nothing"),
    "a reference in brackets": ("# A {#sec-a}\n\nSee [@sec-a].\n", 3, "plain @sec-a"),
    "an anchor to nothing": ("x\n\n[y](#none)\n", 3, "#none refers to nothing"),
    "a tag in a callout's title": ('x\n\n::: {.callout-note title="a <b>c</b>"}\nx\n:::\n', 3, "raw html"),
    "Typst in a callout's title": (
        '::: {.callout-note title="`#read(1)`{=typst}"}\nx\n:::\n',
        1,
        "raw typst",
    ),
    "a script that is a callout's title": (
        'x\n\n::: {.callout-note title="<script>alert(1)</script>"}\nx\n:::\n',
        3,
        "raw html",
    ),
    "a script in a callout's title": (
        '::: {.callout-note title="[y](javascript:alert)"}\nx\n:::\n',
        1,
        "leads to no page",
    ),
    "mathematics in a callout's title": ('::: {.callout-note title="a $x$"}\nx\n:::\n', 1, "mathematics"),
    "a link to no place on a page": ("x\n\n[y](report.qmd#none)\n", 3, "report.qmd#none refers to nothing"),
    "a link to no page": ("x\n\n[y](other.qmd)\n", 3, "leads to no page"),
    "a link to a script": ("x\n\n[y](javascript:alert)\n", 3, "leads to no page"),
    "a missing image": ('x\n\n![](none.svg){fig-alt="x"}\n', 3, "does not exist"),
    "an image from elsewhere": ('x\n\n![](https://a.b/c.svg){fig-alt="x"}\n', 3, "must be an .svg"),
    "an image outside": ('x\n\n![](../c.svg){fig-alt="x"}\n', 3, "must be an .svg"),
    "an image without words": ("x\n\n![](figures/dot.svg)\n", 3, "alternative text"),
    "an image with a class": (
        'x\n\n![](figures/dot.svg){.lightbox fig-alt="x"}\n',
        3,
        "fig-alt= and width= only",
    ),
    # Quarto hands a width on to Typst as it stands, which knows no px.
    "a width in pixels": ('![](figures/dot.svg){fig-alt="x" width=150px}\n', 1, "400 (pixels)"),
    "a foreign width": ('x\n\n![](figures/dot.svg){fig-alt="x" width=3cm}\n', 3, "width"),
    "a heading that skips a level": ("# A\n\n### B\n", 3, "skips a level"),
    "headings that start low": ("x\n\n## B\n", 3, "skips a level"),
    "an appendix": ("# A\n\n# B {.appendix}\n", 3, "B"),
    "a figure without a caption": (
        'x\n\n::: {#fig-a}\n![](figures/dot.svg){fig-alt="x"}\n:::\n',
        3,
        "caption",
    ),
    "a table without a table": ("x\n\n::: {#tbl-a}\nx\n\nCaption.\n:::\n", 3, "holds no table"),
    "an id given twice": (TABLE + "\n" + TABLE, 1, "given 2 times"),
    "a table's own caption with an id": ("| a |\n|---|\n| 1 |\n\n: Caption {#tbl-a}\n", 5, "::: {#tbl-a}"),
    "a listing": ("x\n\n::: {#lst-a}\nx\n:::\n", 3, "#lst-a"),
    "code with a file name": ('x\n\n``` {.python filename="a.py"}\n1\n```\n', 3, "attributes"),
    "raw Typst within a line": ("x\n\n`#pagebreak()`{=typst} y\n", 3, "raw typst"),
    "a span with a style": ('x [y]{style="color: red"}\n', 1, "style="),
    "inline code with a class": ("x\n\n`f()`{.python}\n", None, "attributes"),
    "a second block of metadata": ("x\n\n---\na: b\n---\n", 3, "metadata"),
    "a footnote twice": ("x[^a]\n\n[^a]: y\n\n[^a]: z\n", 5, "Duplicate note"),
}


@pytest.mark.parametrize(("body", "line", "word"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_unsupported_syntax_is_refused_with_its_line_and_leaves_the_site_alone(
    project: Project, body: str, line: int | None, word: str
) -> None:
    project.write("_site/report.html", "the last good page")
    project.page(body)
    with pytest.raises(UserError) as caught:
        project.render()
    message = str(caught.value)
    place = "report.qmd: " if line is None else f"report.qmd:{FRONT_LINES + line}: "
    assert message.startswith(place), message
    assert any(choice in message for choice in word.split("|")), message
    assert "\n" not in message
    assert {path.name: path.read_text() for path in project.site.iterdir()} == {
        "report.html": "the last good page"
    }
    assert not (project.root / ".cache").exists() or not any((project.root / ".cache").iterdir())


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("bibliography: a.bib", 2),
        ("format: {html: {code-fold: true}}", 2),
        ("format: {pdf: default}", 2),
        ("format: {html: default, typst: {columns: 2}}", 2),
        ("format: {html: {toc-depth: many}}", 2),
        ("execute: {freeze: auto}", 2),
        ("execute: {echo: true}", 2),
        ("jupyter: julia", 2),
        ("lang: fr", 2),
        ("date: today", 2),
        ("date: [", 4),
        ("title: again", 3),
        ("aliases: [../index.html]", 1),
        ("format: {html: {number-sections: true}, typst: {number-sections: false}}", 1),
    ],
)
def test_unknown_front_matter_is_refused_with_its_line(project: Project, key: str, line: int) -> None:
    project.write("report.qmd", f"---\n{key}\ntitle: x\n---\n")
    with pytest.raises(UserError, match=rf"^report\.qmd:{line}: "):
        project.render()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: website", "type: book", r"^_quarto\.yml:2: "),
        ("  title: A site", "  title: A site\n  google-analytics: x", r"^_quarto\.yml:7: "),
        ("theme: default", "theme: cosmo", r"^_quarto\.yml:14: "),
        ("tbl-colwidths: false", "tbl-colwidths: true", r"^_quarto\.yml:9: "),
        ("project:", "filters: [x]\nproject:", r"^_quarto\.yml:1: "),
        ("output-dir: _site", "post-render: x.py", r"^_quarto\.yml:3: "),
        # Under these the two renderers' pages would look different.
        ("date-format: long\n", "", "date-format"),
        ("date-format: long\n", "date-format: short\n", "date-format"),
        ("include-in-header: looks/print.typ, ", "", "include-in-header"),
        ("looks/print.lua", "looks/none.lua", r"looks/none\.lua"),
        ("looks/screen.lua", "looks/none.lua", r"looks/none\.lua"),
        ("looks/print.typ", "looks/none.typ", r"looks/none\.typ"),
        # An output folder that is not beside the project file, or is no site, is never replaced.
        ("_site", ".", "output-dir"),
        ("_site", "..", "output-dir"),
        ("_site", "figures/site", "output-dir"),
        ("_site", "/", "output-dir"),
        ("_site", "figures", "not a site"),
    ],
)
def test_settings_that_the_renderer_does_not_follow_are_refused_and_nothing_is_replaced(
    project: Project, old: str, new: str, said: str
) -> None:
    project.page("x\n").write("_quarto.yml", CONFIGURATION.replace(old, new, 1))
    with pytest.raises(UserError, match=said):
        project.render()
    assert (project.root / "figures/dot.svg").exists()


@pytest.mark.parametrize("name", ["_metadata.yml", "_quarto-smoke.yml", "_variables.yml"])
def test_settings_that_only_quarto_would_read_are_refused(
    project: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTO_PROFILE", "smoke")
    project.page("x\n").write(name, "x: 1\n")
    with pytest.raises(UserError, match="use Quarto"):
        project.render()


@pytest.mark.parametrize(
    "css",
    [
        "@import 'x.css';", "a { background: url(https://a.b/c.png); }", "</style>", "a { b: URL('x'); }",
        r"@\69mport 'x.css';", r"@\000069 mport 'x.css';", r"a { b: u\72 l('x'); }", r"a { b: u\rl('x'); }",
        "a { b: -webkit-image-set('https://a.b/c.png' 1x); }", r"a { b: \75\72\6c('x'); }",
        "a { b: u\\72\nl('x'); }",
    ],
)  # fmt: skip
def test_a_style_that_would_load_something_is_refused(project: Project, css: str) -> None:
    project.page("x\n").write("style.css", f"\n{css}\n")
    with pytest.raises(UserError, match=r"^style\.css:2: "):
        project.render()


def test_a_damaged_picture_is_refused_by_its_name_before_a_pdf_is_set(project: Project) -> None:
    for name, content in DAMAGED.items():
        project.write(f"figures/{name}", content)
        project.page(f'x\n\n![](figures/{name}){{fig-alt="x"}}\n')
        with pytest.raises(
            UserError, match=rf"^report\.qmd:{FRONT_LINES + 3}: the image figures/{name} is damaged"
        ):
            project.render()


DAMAGED = {"a.svg": "<svg><g></svg>", "b.svg": "", "c.png": "\x89PNG", "d.jpg": ""}


def test_a_link_to_a_place_on_another_page_is_refused_where_there_is_none(project: Project) -> None:
    with_page(project, "other", "# There {#sec-there}\n\n[back](report.qmd#sec-here)\n")
    project.page("# Here {#sec-here}\n\n[on](other.qmd#sec-there) and [away](other.qmd)\n").render()
    project.page("# Here\n\n[on](other.qmd#sec-there)\n")
    with pytest.raises(
        UserError, match=r"^other\.qmd:\d+: report\.qmd#sec-here refers to nothing on that page"
    ):
        project.render()


def test_a_callout_a_comment_and_a_class_of_the_css_are_fine(project: Project) -> None:
    project.page(
        "<!-- note -->\n\n::: {.callout-tip}\nx\n:::\n\n::: {.own}\n[y]{.own data-from=z}\n:::\n"
    ).render()
    assert "note -->" not in project.html()
