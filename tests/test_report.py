"""The real pages, rendered from the committed results without Quarto."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest

from reporting.numbers import Numbers
from tests.reporting.conftest import ROOT
from tests.reporting.origins import agrees, spans

PARTS = ("data", "experiments", "figures", "profiles", "reporting", "results", "templates")
FILES = ("report.qmd", "captions.qmd", "provenance.qmd", "_quarto.yml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with its pages rendered."""
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "smoke"))
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    environment = {name: value for name, value in os.environ.items() if name != "QUARTO_PROFILE"}
    done = subprocess.run(
        [sys.executable, "-m", "reporting.render"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without Quarto" in done.stdout
    return folder


def test_the_site_has_its_pages_and_the_pdf(folder: Path) -> None:
    names = {path.name for path in (folder / "_site").iterdir()}
    assert {"index.html", "report.html", "report.pdf", "captions.html", "provenance.html"} <= names


def test_the_first_page_names_the_profile(folder: Path) -> None:
    assert "Profile: offline" in (folder / "_site" / "report.html").read_text()
    assert "Profile: offline" in pypdf.PdfReader(folder / "_site" / "report.pdf").pages[0].extract_text()


def test_html_and_pdf_show_the_same_numbers_in_the_same_order(folder: Path) -> None:
    numbers = [text for _, text in spans((folder / "_site" / "report.html").read_text())]
    assert len(numbers) > 50
    pages = pypdf.PdfReader(folder / "_site" / "report.pdf").pages
    squeezed = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    position = 0
    for number in numbers:
        found = squeezed.find(re.sub(r"\s", "", number), position)
        assert found >= 0, f"{number} is missing from the PDF after {squeezed[position - 40 : position]!r}"
        position = found + 1


def test_every_number_on_a_page_is_what_stands_at_its_origin(folder: Path) -> None:
    from experiments.project import open_project
    from reporting.document import open_document

    figures = Numbers(open_document(open_project("offline", folder)).envelopes)
    for page in ("report.html", "captions.html", "provenance.html"):
        for origin, text in spans((folder / "_site" / page).read_text()):
            assert agrees(text, figures.at(origin)), (origin, text)


@pytest.mark.parametrize("page", ["report.html", "captions.html", "provenance.html"])
def test_nothing_is_missing_or_stale(folder: Path, page: str) -> None:
    text = (folder / "_site" / page).read_text()
    assert "Missing:" not in text
    assert "Stale:" not in text


def test_every_evaluation_photo_is_on_the_page_of_captions_and_the_examples_are_in_the_report(
    folder: Path,
) -> None:
    gallery = (folder / "_site" / "captions.html").read_text()
    assert gallery.count("data:image/png;base64,") == 60
    report = (folder / "_site" / "report.html").read_text()
    assert report.count("data:image/png;base64,") == 5
