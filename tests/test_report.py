"""The real pages, rendered from the committed results without Quarto."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pypdfium2 import PdfDocument

from experiments.project import open_project
from pipeline import freshness
from reporting.check import check
from reporting.checking.page import body_of, parse, text_of, walk
from reporting.checking.paper import Paper, legible, read
from reporting.document import open_document
from reporting.numbers import Numbers
from tests.support.commands import python
from tests.support.rendered import rendered, rendered_once


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two copies of the project in different places, each with its pages rendered."""
    elsewhere = tmp_path_factory.mktemp("other") / "a copy elsewhere"
    elsewhere.mkdir()
    return rendered_once(tmp_path_factory), rendered(elsewhere)


@pytest.fixture(scope="module")
def folder(folders: tuple[Path, Path]) -> Path:
    """A copy of the project with its pages rendered."""
    return folders[0]


def test_the_site_has_its_pages_and_the_first_names_the_profile(folder: Path) -> None:
    names = {path.name for path in (folder / "_site").iterdir()}
    assert {
        "index.html",
        "report.html",
        "report.pdf",
        "appendix.html",
        "captions.html",
        "provenance.html",
    } <= names
    assert "Profile: offline" in text_of(parse((folder / "_site" / "report.html").read_text()))
    assert "Profile: offline" in read(folder / "_site" / "report.pdf").sheets[0].text


def test_two_renders_in_two_folders_are_the_same_bytes(folders: tuple[Path, Path]) -> None:
    one, other = ({path.name: path.read_bytes() for path in (at / "_site").iterdir()} for at in folders)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


# Every number


def checked(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "reporting.check", *arguments)


def test_every_number_on_every_page_is_what_the_results_say(folder: Path) -> None:
    done = checked(folder)
    found = re.fullmatch(r"([\d,]+) numbers on 4 pages agree with the results\n", done.stdout)
    assert found, done.stdout
    assert int(found[1].replace(",", "")) > 1000
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_fails_with_a_line_for_each_problem(folder: Path, tmp_path: Path) -> None:
    site = shutil.copytree(folder / "_site", tmp_path / "_site")
    page = site / "captions.html"
    page.write_text(page.read_text().replace("</main>", "<p>We reached 93.1 % and ½.</p></main>"))
    done = checked(folder, "--site", site, "--profile", "offline")
    lines = [
        "captions.html: '93.1' names no origin: We reached 93.1 % and ½.",
        "captions.html: '½.' names no origin: We reached 93.1 % and ½.",
    ]
    assert done.stdout.splitlines() == lines
    assert done.returncode == 1


@pytest.fixture(scope="module")
def numbers(folder: Path) -> Numbers:
    """What the results say, against which a page alone is read: its PDF has tests of its own."""
    return open_document(open_project("offline", folder)).numbers


@pytest.mark.parametrize(
    ("page", "change"),
    [
        ("report.html", (r'(data-as="percent">)\d', r"\g<1>4", "should be")),
        ("report.html", (r"vit\.top1\.value", "vit.top2.value", "cannot be read")),
        ("report.html", ('data-as="count"', 'data-as="number"', "no known format")),
        ("report.html", ("(<figcaption>\\s*Table.1: )", r"\1In 2031, ", "names no origin")),
        ("report.html", ('(alt="[^"]*)"', r'\1 and 77777"', "in an alternative text")),
        ("report.html", (r'(data-from="rows\.\w+" data-as="count">)\d', r"\g<1>9", "should be")),
        ("report.html", (r"(?s)(card-claim.*?commit <[^>]*>)\w", r"\g<1>x", "should be")),
        ("appendix.html", (r'(id="claim-[^>]*><[^>]*>)\d', r"\g<1>9", "should be")),
        ("captions.html", (r"records\.3\.", "records.4.", "should be")),
        ("provenance.html", ('data-from="cnn:key"', "", "names no origin")),
    ],
)
def test_whatever_is_changed_on_a_page_is_caught(
    folder: Path, numbers: Numbers, tmp_path: Path, page: str, change: tuple[str, str, str]
) -> None:
    pattern, instead, said = change
    text = (folder / "_site" / page).read_text()
    (tmp_path / page).write_text(re.sub(pattern, instead, text))
    assert (tmp_path / page).read_text() != text
    problems = check(tmp_path, numbers).problems
    assert any(problem.startswith(page) and said in problem for problem in problems), problems


@pytest.mark.parametrize("page", ["report.html", "appendix.html"])
def test_a_mark_or_a_row_that_the_pdf_has_otherwise_is_caught(
    folder: Path, numbers: Numbers, tmp_path: Path, page: str
) -> None:
    site = shutil.copytree(folder / "_site", tmp_path / "_site")
    text = (site / page).read_text()
    origin = r'(<span data-from="rows\.closer_in_style" data-as="count">)\d+'
    (site / page).write_text(re.sub(origin, r"\g<1>777", text))
    assert (site / page).read_text() != text
    problems = check(site, numbers).problems
    assert any("report.pdf: '777'" in problem for problem in problems), problems


def test_without_pages_the_command_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    done = checked(folder, "--site", tmp_path)
    assert done.returncode == 2
    assert "make report" in done.stderr


# What is shown


@pytest.mark.parametrize("page", ["report.html", "appendix.html", "captions.html", "provenance.html"])
def test_nothing_is_missing_and_nothing_fresh_is_called_stale(folder: Path, page: str) -> None:
    text = (folder / "_site" / page).read_text()
    assert "Missing:" not in text
    project = open_project("offline", folder)
    states = freshness.states(project, project.stages)
    called = re.findall(r"Stale: (\w+(?:, \w+)*)", text)
    assert len(called) == text.count("Stale:")
    for stage in {stage for stages in called for stage in stages.split(", ")}:
        assert states[stage].state == "stale"


def pictures(page: str) -> list[str]:
    """The alternative texts of the photos on a page; drawings are another kind of picture."""
    return re.findall(r'<img src="data:image/(?:png|jpeg);base64,[^"]*"[^>]*alt="([^"]*)"', page)


def test_every_evaluation_photo_is_on_the_page_of_captions_and_the_examples_are_in_the_report(
    folder: Path,
) -> None:
    assert len(pictures((folder / "_site" / "captions.html").read_text())) == 60
    photos = [
        text for text in pictures((folder / "_site" / "report.html").read_text()) if "The photo" in text
    ]
    assert len(photos) == 5


def test_small_originals_are_smooth_on_the_page_which_says_so(folder: Path) -> None:
    text = text_of(parse((folder / "_site" / "captions.html").read_text()))
    assert "Small pictures are enlarged smoothly" in text
    assert "data:image/png" not in (folder / "_site" / "captions.html").read_text()


def test_every_link_between_pages_and_within_them_leads_somewhere(folder: Path) -> None:
    site = folder / "_site"
    trees = {page.name: parse(page.read_text()) for page in site.glob("*.html")}
    anchors = {name: {element.attributes.get("id") for element in walk(tree)} for name, tree in trees.items()}
    crossing = 0
    for name, tree in trees.items():
        for link in (element.attributes.get("href", "") for element in walk(tree) if element.tag == "a"):
            file, _, anchor = link.partition("#")
            if anchor and not file.startswith("http"):
                assert anchor in anchors[file or name], f"{name}: {link}"
                crossing += file not in ("", name)
    assert crossing > 50


def test_every_mark_opens_a_card_of_its_own_page_and_no_card_is_without_a_mark(folder: Path) -> None:
    for name in ("report.html", "appendix.html"):
        elements = list(walk(parse((folder / "_site" / name).read_text())))
        marks = [element for element in elements if "evidence" in element.classes]
        cards = [element.attributes["id"] for element in elements if "card" in element.classes]
        assert {mark.attributes["data-card"] for mark in marks} == {*cards}
        assert len(cards) == len({*cards}) > 4, name
        assert all(mark.attributes["href"].startswith("appendix.html#claim-") for mark in marks)


# How it lies on paper


@pytest.fixture(scope="module")
def paper(folder: Path) -> Paper:
    return read(folder / "_site" / "report.pdf")


def test_the_report_has_at_most_eight_pages_before_its_appendix(paper: Paper) -> None:
    (start,) = (sheet for _, title, sheet in paper.entries if title == "Appendix")
    titles = [title for _, title, sheet in paper.entries]
    assert re.fullmatch(r"1\s+Summary", titles[0])
    assert start <= 9
    assert titles.index("Appendix") < titles.index("The evidence for each claim")


def test_the_summary_begins_on_the_first_page(paper: Paper) -> None:
    assert [sheet for _, title, sheet in paper.entries if title.endswith("Summary")] == [1]
    assert "Contents" not in paper.sheets[0].text


def test_no_heading_stands_at_the_foot_of_a_page(paper: Paper) -> None:
    for _, title, at in paper.entries:
        sheet = paper.sheets[at - 1]
        words = legible(re.sub(r"^[\d.]+\s", "", title))
        found = [word for word in sheet.words if legible(word.text) == words]
        assert found, title
        assert any(max(word.bottom for word in found) - other.bottom > 20 for other in sheet.words), title


def test_no_example_is_broken_between_two_pages(folder: Path, paper: Paper) -> None:
    captions = open_document(open_project("offline", folder)).envelopes["captions"].value
    sheets = [legible(sheet.text) for sheet in paper.sheets]
    for at in captions.examples:
        record = captions.records[at]
        texts = [legible(text) for text in (record.name, record.references[0], record.before, record.after)]
        assert any(all(text in sheet for text in texts) for sheet in sheets), record.name


def test_no_row_of_a_table_is_broken_between_two_pages(folder: Path, paper: Paper) -> None:
    sheets = [legible(sheet.text) for sheet in paper.sheets]
    for page in ("report.html", "appendix.html"):
        tree = body_of(parse((folder / "_site" / page).read_text()))
        for row in (element for element in walk(tree) if element.tag == "tr"):
            cells = [legible(text_of(cell)) for cell in walk(row) if cell.tag in {"td", "th"}]
            assert any(all(cell in sheet for cell in cells) for sheet in sheets), cells


def test_no_page_but_the_last_is_under_a_third_full(folder: Path) -> None:
    with PdfDocument(folder / "_site" / "report.pdf") as document:
        pages = [page.render(grayscale=True).to_numpy().squeeze() for page in document]
    for number, page in enumerate(pages[:-1], start=1):
        inked = np.flatnonzero((page < 200).any(axis=1)) / len(page)
        text = inked[inked < 0.92]  # below it stands the page number
        assert text.max() > 0.08 + (0.92 - 0.08) / 3, f"page {number}"
