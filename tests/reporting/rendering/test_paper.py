"""The PDF as a document: what a screen reader is told, what every sheet repeats, what holds together."""

import re
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from reporting.checking.page import parse
from reporting.checking.paper import differences, off_the_sheet, read
from tests.support.pages import CONFIGURATION, FRONT, Project

FRONT_OF_COURSE = FRONT.replace("A report", "Report 7").replace(
    "An Author", '[{name: Ada Example, student: "0012345"}, Bob Example]'
)
LONG = "Words that fill a line and then another one, since a page is long.\n\n"


@pytest.fixture
def accessible(project: Project) -> Project:
    """A project whose PDF must be PDF/UA-1, where a letter without a glyph stops it."""
    project.write("_quarto.yml", CONFIGURATION.replace("typst: {", "typst: {pdf-standard: ua-1, "))
    return project


def tree_of(reader: PdfReader) -> list[Any]:
    """Return every element of the PDF's structure."""
    found: list[Any] = []
    left: list[Any] = [reader.root_object["/StructTreeRoot"]]
    while left:
        element = left.pop().get_object()
        kids = element.get("/K", [])
        found.append(element)
        below = (kids if isinstance(kids, list) else [kids])[::-1]
        left += [kid for kid in below if hasattr(kid.get_object(), "get") and "/S" in kid.get_object()]
    return found


def test_a_screen_reader_is_told_language_title_headings_tables_and_what_pictures_show(
    accessible: Project,
) -> None:
    picture = '::: {#fig-a}\n![](figures/dot.svg){fig-alt="A dark box of 3"}\n\nOf 3.\n:::\n\n'
    table = "::: {#tbl-a}\n| head | other |\n|---|---|\n| a | b |\n\nA table.\n:::\n\n"
    beside = (
        '::: {.beside}\n![](figures/dot.svg){fig-alt="A second box" width=40}\n\nFirst\n:   One.\n\n'
        "Other\n:   Two.\n:::\n\n"
    )
    accessible.page(f"# One\n\n{picture}## Two\n\n{table}{beside}- x\n\n  - y\n").render()
    reader = PdfReader(accessible.site / "report.pdf")
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"]  # pyright: ignore[reportIndexIssue]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]  # pyright: ignore[reportIndexIssue]
    assert root["/Lang"] == "en"
    assert reader.xmp_metadata is not None
    assert "<pdfuaid:part>1</pdfuaid:part>" in reader.xmp_metadata.stream.get_data().decode()
    elements = tree_of(reader)
    kinds = {str(element.get("/S")) for element in elements}
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/L", "/P"} <= kinds
    alternatives = [str(element["/Alt"]) for element in elements if "/Alt" in element]
    assert alternatives.count("A dark box of 3") == 1
    assert alternatives.count("A second box") == 1


def test_a_pdf_is_pdf_ua_unless_a_letter_cannot_be_drawn(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    for letter, is_accessible in (("a", True), ("\u16a0", False)):
        project.page(f"# One\n\nA letter: {letter}.\n").render()
        metadata = PdfReader(project.site / "report.pdf").xmp_metadata
        assert metadata is not None
        assert ("pdfuaid" in metadata.stream.get_data().decode()) == is_accessible
        assert ("report.qmd: the PDF is tagged, but no PDF/UA-1: " in capfd.readouterr().err) != is_accessible


def test_a_header_and_a_number_of_all_stand_on_every_sheet_and_are_no_numbers_of_the_text(
    accessible: Project,
) -> None:
    accessible.page(f"# One\n\n{LONG * 90}", front=FRONT_OF_COURSE).render()
    file = accessible.site / "report.pdf"
    texts = [page.extract_text() for page in PdfReader(file).pages]
    assert len(texts) == 3
    assert not texts[0].startswith("Report 7 Ada")
    for number, text in enumerate(texts, start=1):
        assert text.rstrip().endswith(f"{number} / 3")
        assert number == 1 or text.startswith("Report 7 Ada Example (0012345), Bob Example")
    page = parse(accessible.html())
    assert list(differences([page], file)) == []


def test_no_heading_stands_at_the_foot_and_no_row_or_example_is_broken(accessible: Project) -> None:
    """Whatever stands before them: each start of the page is tried."""
    row = "first line of a cell that is long enough to need several lines on paper, so that it could break "
    table = f"| a | b |\n|---|---|\n| START {row * 3} END | x |\n| START {row * 3} END | y |\n\n"
    picture = '![](figures/dot.svg){fig-alt="A box" width=40}'
    beside = f"::: {{.beside}}\n{picture}\n\nSTART\n\nSecond\n\nThird END\n:::\n\n"
    body = "".join(
        f"{LONG * fill}## Heading {fill}\n\nAFTER {LONG}{table}{beside}" for fill in range(9, 22, 3)
    )
    accessible.page(f"# One\n\n{body}", front=FRONT.replace("toc: true, ", "")).render()
    sheets = read(accessible.site / "report.pdf").sheets
    assert len(sheets) > 3
    for sheet in sheets:
        assert sheet.text.count("START") == sheet.text.count("END"), sheet.text
        assert len(re.findall(r"Heading \d+\n", sheet.text)) == sheet.text.count("AFTER")


def test_no_heading_of_a_group_of_rows_stays_behind_at_the_foot(accessible: Project) -> None:
    """However many rows stand before it; a table may end with such a row, and bold words alone make none."""
    words = "words that fill a line of their cell and then one more "
    row = f"| 1 | ROW {words} | x |\n"
    rows = "".join(f"| | **GROUP** | |\n{row * count}" for count in (7, 4, 9, 5, 8, 3, 6, 4) * 3)
    table = f"| no | **what** | **a** |\n|--:|:------|:--|\n| **1** | **BOLD** | |\n{rows}| | **LAST** | |\n"
    accessible.page(f"# One\n\n::: {{#tbl-a}}\n{table}\nOf rows.\n:::\n").render()
    sheets = [re.sub(r"\d+ / \d+\s*$", "", sheet.text) for sheet in accessible.paper().sheets]
    assert len(sheets) > 3
    assert sum(text.count("GROUP") for text in sheets) == 24
    assert not [text for text in sheets if text.rsplit("GROUP")[-1].count("ROW") == 0 and "LAST" not in text]
    elements = tree_of(PdfReader(accessible.site / "report.pdf"))
    assert sum(str(element.get("/S")) == "/TH" for element in elements) >= 3


def test_a_command_can_be_copied_and_a_hash_fits_its_column(accessible: Project) -> None:
    command = "python -m experiments run data_sets evidence --profile offline"
    table = f"| a | b | c | d | e |\n|---|---|---|---|---|\n| 1 | 2 | 3 | 4 | `{'0123456789abcdef' * 4}` |\n"
    sentences = "".join(f"{'x' * fill} run `{command}`.\n\n" for fill in range(1, 60, 7))
    accessible.page(f"# One\n\n{sentences}{table}").render()
    text = re.sub(r"\s+", " ", accessible.paper().sheets[0].text)
    assert text.count(command) == len(range(1, 60, 7))
    assert not list(off_the_sheet(accessible.paper()))


def test_headline_figures_stand_in_one_row_and_cards_are_left_out(project: Project, tmp_path: Path) -> None:
    project.page(
        ":::: {.panel}\n::: {}\nFIRST\n\none\n:::\n\n::: {}\nSECOND\n\nother\n:::\n::::\n\n"
        "::: {.card #card-a}\nNOT ON PAPER\n:::\n"
    ).render()
    words = {word.text: word for sheet in project.paper().sheets for word in sheet.words}
    assert abs(words["FIRST"].bottom - words["SECOND"].bottom) < 1
    assert words["FIRST"].right < words["SECOND"].left
    assert words["FIRST"].top - words["FIRST"].bottom > words["one"].top - words["one"].bottom
    assert "NOT ON PAPER" not in project.pdf_words()
