"""What pages may use so that Quarto shows it as our renderer does: seen in, or documented by, Quarto.

No Quarto is needed here: the renderer without it refuses what breaks a rule, by file and line, and these are
the rules. `test_in_quarto.py` holds the same pages against the real one where it is installed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import UserError
from reporting.blocks import BLOCKS
from tests.support.copies import PAGES, ROOT
from tests.support.pages import CONFIGURATION, FRONT, FRONT_LINES, Project

TABLE = "| a |\n|---|\n| 1 |\n"


@dataclass(frozen=True)
class Rule:
    """What a page must do so that Quarto shows it alike, why, and a page that does not do it."""

    what: str
    because: str
    broken: str
    line: int
    said: str


RULES = (
    Rule("a width has no unit or is a share", "Quarto hands `px` to Typst as it stands, which knows no px",
         '![](figures/dot.svg){fig-alt="x" width=150px}\n', 1, "400 (pixels)"),
    Rule("an image has alternative text", "else Quarto writes another kind of box, and nobody can hear it",
         "![](figures/dot.svg)\n", 1, "alternative text"),
    Rule("a div has a class of our own or is a callout", "other classes have a meaning of Quarto's alone",
         "x\n\n::: {.column-margin}\nx\n:::\n", 3, ".column-margin"),
    Rule("a callout does not collapse", "on paper there is nothing to click",
         '::: {.callout-note collapse="true"}\nx\n:::\n', 1, "collapse"),
    Rule("a span has data and no style", "Typst drops what it does not know",
         'x [y]{style="color: red"}\n', 1, "style="),
    Rule("a cross-reference stands bare", "brackets and prefixes are worded otherwise in each output",
         "# A {#sec-a}\n\nSee [@sec-a].\n", 3, "plain @sec-a"),
    Rule("a cross-reference leads to something", "Quarto prints ?@tbl-a and goes on",
         "See @tbl-a.\n", 1, "refers to nothing"),
    Rule("a table is numbered by a div with its caption last", "a caption of Pandoc's own is lost in a cell",
         f"{TABLE}\n: Caption {{#tbl-a}}\n", 5, "::: {#tbl-a}"),
    Rule("a link leads to a page of the project", "Quarto says nothing of a file that is gone",
         "[x](other.qmd#a)\n", 1, "leads to no page"),
    Rule("there is no include or other shortcode", "Quarto obeys it, also in text that came from data",
         "{{< include a.qmd >}}\n", 1, "shortcode"),
    Rule("a cell prints what it shows", "label and caption of a cell that prints are ignored",
         "```{python}\n#| output: asis\n#| tbl-cap: x\nprint(1)\n```\n", 1 + 2, "'tbl-cap' is not supported"),
    Rule("there is no raw HTML or Typst", "it would be lost in the other output",
         "x\n\n`#pagebreak()`{=typst}\n", 3, "raw typst"),
    Rule("there is no mathematics", "HTML would load a script from elsewhere",
         "$x$\n", 1, "mathematics"),
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=[rule.what for rule in RULES])
def test_a_page_that_breaks_a_rule_is_refused_by_file_and_line(project: Project, rule: Rule) -> None:
    project.page(rule.broken)
    with pytest.raises(UserError, match=re.escape(rule.said)) as caught:
        project.render()
    assert str(caught.value).startswith(f"report.qmd:{FRONT_LINES + rule.line}: "), rule.because


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("date-format: long\n", "", "date-format"),
        ("include-in-header: looks/print.typ, ", "", "include-in-header"),
        ("looks/print.lua", "looks/none.lua", "looks/none.lua"),
        ("looks/screen.lua", "looks/none.lua", "looks/none.lua"),
        ("looks/print.typ", "looks/none.typ", "looks/none.typ"),
        ("date-format: long\n", "date-format: short\n", "date-format"),
    ],
)
def test_settings_under_which_the_two_would_look_different_are_refused(
    project: Project, old: str, new: str, said: str
) -> None:
    project.page("x\n").write("_quarto.yml", CONFIGURATION.replace(old, new))
    with pytest.raises(UserError, match=re.escape(said)):
        project.render()


# The pages and settings of this project


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))


def test_both_renderers_read_the_same_files(settings: dict[str, Any]) -> None:
    """Looks lie beside nothing that only one of the two would read."""
    formats = settings["format"]
    named = {formats["html"]["css"], formats["typst"]["include-in-header"]}
    named |= {*formats["html"]["filters"], *formats["typst"]["filters"]}
    looks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reporting" / "looks").iterdir()}
    assert named == looks


def test_the_report_is_the_page_that_quarto_names_and_opens(settings: dict[str, Any]) -> None:
    assert settings["project"]["render"][-1] == "report.qmd"
    assert set(settings["project"]["render"]) == {name for name in PAGES if name.endswith(".qmd")}


def test_the_link_to_the_pdf_says_pdf(settings: dict[str, Any]) -> None:
    """Where only links with a text of their own are named, Quarto adds one that says "Typst"."""
    links = settings["format"]["html"]["format-links"]
    assert any(isinstance(link, str) for link in links)
    assert [link["text"] for link in links if not isinstance(link, str)] == ["PDF"]


def test_git_ignores_what_quarto_would_have_it_ignore() -> None:
    """Else each render by Quarto would append these lines to the checkout."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/.quarto/", "**/*.quarto_ipynb"} <= set(lines)


def test_an_older_quarto_says_so_itself(settings: dict[str, Any]) -> None:
    assert re.fullmatch(r">=\d+\.\d+(\.\d+)?", settings["quarto-required"])


def test_each_class_of_a_div_has_a_meaning_on_the_screen_and_on_paper() -> None:
    """A class that only the style sheet knows means nothing in a PDF, and Quarto does not say so."""
    sources = [*(ROOT / "templates").iterdir(), *(ROOT / page for page in PAGES)]
    used = {
        name
        for source in sources
        for name in re.findall(
            r"^:::+ *\{[^}#]*?\.([\w-]+)", source.read_text(encoding="utf-8"), re.MULTILINE
        )
        if not name.startswith("callout-")
    }
    assert used
    screen, paper = ((ROOT / "reporting/looks" / name).read_text() for name in ("screen.css", "print.lua"))
    assert [name for name in used if f".{name}" not in screen or f'"{name}"' not in paper] == []


def test_no_template_gives_a_width_with_a_unit_that_typst_lacks() -> None:
    for name in BLOCKS:
        text = (ROOT / "templates" / f"{name}.md.j2").read_text(encoding="utf-8")
        assert not re.search(r"width=[^ }]*(?:px|em|rem)", text), name


def test_a_page_of_its_own_reads_the_projects_looks_too(tmp_path: Path, project: Project) -> None:
    """Front matter adds to what `_quarto.yml` says of a format, as Quarto merges them."""
    project.page("x\n", front=FRONT.replace("typst: {", "typst: {papersize: us-letter, ")).render()
    assert project.paper().sheets[0].width == 612


def test_a_preview_follows_all_that_the_pages_are_made_from() -> None:
    listed = yaml.safe_load((ROOT / "reporting" / "watched.yml").read_text(encoding="utf-8"))["watched"]
    parts = ("templates/*.j2", "figures/*.py", "reporting/*.py", "results/offline/*.json")
    assert listed == sorted(path.relative_to(ROOT).as_posix() for part in parts for path in ROOT.glob(part))
