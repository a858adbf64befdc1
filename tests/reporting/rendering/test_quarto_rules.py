"""What the pages and settings of this project keep to so that Quarto shows them as our renderer does.

No Quarto is needed here. What the renderer refuses since Quarto would show it otherwise is in
`test_refusals.py`; `test_in_quarto.py` holds the pages against the real one where it is installed.
"""

import re
from typing import Any

import pytest
import yaml

from reporting.blocks import BLOCKS
from reporting.rendering import schema
from tests.support.copies import PAGES, ROOT
from tests.support.pages import FRONT, Project


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))


def test_both_renderers_read_the_same_files(settings: dict[str, Any]) -> None:
    """Looks lie beside nothing that only one of the two would read."""
    formats = settings["format"]
    named = {formats["html"]["css"], formats["typst"]["include-in-header"]}
    named |= {*formats["html"]["filters"], *formats["typst"]["filters"]}
    scripts = {schema.script_of(item["text"]) for item in formats["html"]["include-after-body"]}
    assert scripts == set(settings["project"]["resources"]), "Quarto copies a script only if it is a resource"
    named |= {*scripts, formats["html"]["theme"]["dark"][1]}
    looks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reporting" / "looks").iterdir()}
    assert named == looks


def test_the_report_is_the_page_that_quarto_names_and_opens(settings: dict[str, Any]) -> None:
    assert settings["project"]["render"][-1] == "report.qmd"
    assert set(settings["project"]["render"]) == {
        name for name in PAGES if name[0] != "_" and name.endswith(".qmd")
    }


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
        if not name.startswith(("callout-", "content-"))
    }
    assert used
    screen, paper = ((ROOT / "reporting/looks" / name).read_text() for name in ("screen.css", "print.lua"))
    assert [name for name in used if f".{name}" not in screen or f'"{name}"' not in paper] == []


def test_no_template_gives_a_width_with_a_unit_that_typst_lacks() -> None:
    for name in BLOCKS:
        text = (ROOT / "templates" / f"{name}.md.j2").read_text(encoding="utf-8")
        assert not re.search(r"width=[^ }]*(?:px|em|rem)", text), name


def test_a_page_of_its_own_reads_the_projects_looks_too(project: Project) -> None:
    """Front matter adds to what `_quarto.yml` says of a format, as Quarto merges them."""
    project.page("x\n", front=FRONT.replace("typst: {", "typst: {papersize: us-letter, ")).render()
    assert project.paper().sheets[0].width == 612


def test_a_preview_follows_all_that_the_pages_are_made_from() -> None:
    listed = yaml.safe_load((ROOT / "reporting" / "watched.yml").read_text(encoding="utf-8"))["watched"]
    read = ("_*.qmd", "*.bib", "templates/*.j2", "figures/*.py", "reporting/*.py", "reporting/*.toml")
    parts = (*read, "results/offline/*.json")
    assert listed == sorted(path.relative_to(ROOT).as_posix() for part in parts for path in ROOT.glob(part))
