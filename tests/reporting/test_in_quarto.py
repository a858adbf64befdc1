"""The pages in real Quarto, where it is on PATH: `pytest -m quarto` (some minutes); skipped elsewhere.

What is asked: that it renders them, that they say what ours say, and that nothing of them is lost.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reporting.checking.page import Element, body_of, parse, squeezed, text_of, walk
from reporting.checking.paper import legible, off_the_sheet, read
from tests.support import commands
from tests.support.copies import PAGES, ROOT, copy_parts
from tests.support.pages import HOSTILE, HOSTILE_PLACES, Project, hostile_page

pytestmark = [
    pytest.mark.quarto,
    pytest.mark.skipif(shutil.which("quarto") is None, reason="Quarto is not on PATH, so it was not tried"),
]
PARTS = ("data", "pipeline", "experiments", "figures", "profiles", "reporting", "results", "templates")
QUIET = ("screen-reader-only", "quarto-alternate-formats")
"""Classes of what only Quarto writes into a page: words for screen readers alone, links to other formats."""

BLOCKED = 'import sys\n\nsys.modules["torch"] = None  # as where it is not installed\n'


def copy(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return copy_parts(folder, *PARTS, *PAGES, ".gitignore")


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project, by this Python; torch is absent, so that nothing is computed."""
    blocked = folder.parent / "blocked"
    blocked.mkdir(exist_ok=True)
    (blocked / "sitecustomize.py").write_text(BLOCKED)
    ours = {"QUARTO_PYTHON": sys.executable, "PYTHONPATH": str(blocked)}
    return commands.run(folder, *command, **ours | environment)


def builtin(folder: Path, profile: str, output: Path) -> Path:
    python = [sys.executable, "-m", "reporting.render", "--renderer", "builtin"]
    done = run(folder, *python, "--profile", profile, "--output", str(output))
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module", params=["offline", "smoke", "assignment"])
def sites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """The pages by Quarto, the same pages by us, and the profile: two with results, one with boxes alone."""
    folder = copy(tmp_path_factory.mktemp("quarto") / "a project")
    profile = request.param
    if profile == "smoke":
        compute = [sys.executable, "-m", "experiments", "run", "--profile", profile]
        subprocess.run(compute, cwd=folder, check=True, capture_output=True)
        shutil.rmtree(folder / ".cache")
    before = {path.name for path in folder.iterdir()}
    done = run(folder, "quarto", "render", "--profile", profile)
    assert done.returncode == 0, done.stderr[-4000:]
    made = {path.name for path in folder.iterdir()} - before
    assert made == {"_site", "_figures", ".quarto", ".cache"}
    return folder / "_site", builtin(folder, profile, folder / ".cache" / "ours"), profile


def words(page: Path) -> str:
    """The text of a page without its title block and without what is Quarto's alone."""
    return squeezed(text_of(_without_quartos(body_of(parse(page.read_text(encoding="utf-8"))))))


def _without_quartos(element: Element) -> Element:
    children = [
        _without_quartos(child) if isinstance(child, Element) else child
        for child in element.children
        if not isinstance(child, Element)
        or not ({*child.classes} & {*QUIET} or child.attributes.get("id") == "title-block-header")
    ]
    return Element(element.tag, element.attributes, children)


@pytest.mark.parametrize("name", ["report", "appendix", "captions", "provenance"])
def test_both_renderers_pages_have_the_same_words(sites: tuple[Path, Path, str], name: str) -> None:
    theirs, ours, _ = sites
    assert words(theirs / f"{name}.html") == words(ours / f"{name}.html")


def test_both_renderers_pdfs_have_the_same_words_on_the_same_sheets(sites: tuple[Path, Path, str]) -> None:
    theirs, ours = (read(site / "report.pdf") for site in sites[:2])
    assert [legible(sheet.text) for sheet in theirs.sheets] == [legible(sheet.text) for sheet in ours.sheets]
    assert theirs.entries == ours.entries


def test_every_row_of_every_table_is_on_paper_and_within_its_margins(sites: tuple[Path, Path, str]) -> None:
    site, _, profile = sites
    paper = read(site / "report.pdf")
    shown = legible("".join(sheet.text for sheet in paper.sheets))
    pages = [
        body_of(parse((site / name).read_text(encoding="utf-8"))) for name in ("report.html", "appendix.html")
    ]
    cells = [legible(text_of(cell)) for page in pages for cell in walk(page) if cell.tag in {"td", "th"}]
    assert len(cells) > 100 or profile != "offline"
    assert [cell for cell in cells if cell not in shown] == []
    assert list(off_the_sheet(paper)) == []


def test_every_number_on_quartos_pages_is_what_the_results_say(sites: tuple[Path, Path, str]) -> None:
    site, _, profile = sites
    done = run(site.parent, sys.executable, "-m", "reporting.check", "--profile", profile)
    assert done.returncode == 0, done.stdout[:2000]
    assert "on 4 pages agree" in done.stdout


def test_the_link_to_the_pdf_and_links_between_pages_lead_somewhere(sites: tuple[Path, Path, str]) -> None:
    site, _, _ = sites
    for page in ("report.html", "appendix.html", "captions.html", "provenance.html"):
        tree = parse((site / page).read_text(encoding="utf-8"))
        links = [(e.attributes.get("href", ""), squeezed(text_of(e))) for e in walk(tree) if e.tag == "a"]
        for target, _ in links:
            file, _, anchor = target.removeprefix("./").partition("#")
            assert file.startswith(("http", "mailto")) or (site / (file or page)).is_file(), target
            if anchor and file in {"", page}:
                assert any(e.attributes.get("id") == anchor for e in walk(tree)), target
        if page == "report.html":
            assert [text for target, text in links if target == "report.pdf"] == ["PDF"]
    assert b".qmd" not in (site / "report.pdf").read_bytes()


def test_hostile_text_reads_the_same_on_quartos_pages(tmp_path: Path) -> None:
    """In paragraphs, cells, captions, callouts and notes; a shortcode among it would show one's home."""
    project = Project(tmp_path).page(hostile_page())
    done = run(tmp_path, "quarto", "render")
    assert done.returncode == 0, done.stderr[-4000:]
    page, paper = words(project.site / "report.html"), legible(project.pdf_words())
    for text in HOSTILE:
        assert page.count(text) >= HOSTILE_PLACES, text
        assert paper.count(legible(text)) >= HOSTILE_PLACES, text
    assert project.alternatives() == HOSTILE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy(tmp_path / "project")


@pytest.mark.parametrize(("to", "file"), [("html", "report.html"), ("typst", "report.pdf")])
def test_one_page_can_be_rendered_to_one_format(folder: Path, to: str, file: str) -> None:
    done = run(folder, "quarto", "render", "report.qmd", "--to", to)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (folder / "_site" / file).is_file()
    assert not (folder / file).exists()
    assert (folder / ".gitignore").read_text() == (ROOT / ".gitignore").read_text()


def test_without_the_packages_one_sentence_says_what_to_run(folder: Path) -> None:
    """Where there is no environment, and where Quarto runs in another folder than the project's."""
    bare = folder.parent / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    done = run(folder, "quarto", "render", QUARTO_PYTHON=str(bare / "bin" / "python"))
    assert done.returncode != 0
    assert f"run `make report` once in {folder}" in done.stderr
    (folder / ".venv").mkdir()
    done = run(
        folder, "sh", "-c", f"cd / && quarto render '{folder}/report.qmd'",
        QUARTO_PYTHON=str(bare / "bin" / "python"),
    )  # fmt: skip
    assert f"run Quarto in the folder {folder}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_quarto_is_told_by_itself_that_it_is(folder: Path) -> None:
    settings = (folder / "_quarto.yml").read_text()
    (folder / "_quarto.yml").write_text(
        re.sub(r'quarto-required: ">=[\d.]+"', 'quarto-required: ">=99"', settings)
    )
    done = run(folder, "quarto", "render", "captions.qmd")
    assert done.returncode != 0
    assert "does not satisfy version constraint" in done.stderr


def test_when_quarto_fails_the_last_site_stays_and_the_folder_is_clean(folder: Path) -> None:
    command = (sys.executable, "-m", "reporting.render", "--renderer", "quarto")
    (folder / "_site").mkdir()
    (folder / "_site" / "report.html").write_text("the last good page")
    looks = folder / "reporting" / "looks" / "print.typ"
    looks.write_text(looks.read_text() + "\n#let broken = nowhere\n")
    before = {path.name for path in folder.iterdir()}
    done = run(folder, *command)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "Quarto ended with exit code 1, so _site stays as it was; "
    )
    assert "unknown variable" in done.stderr
    assert (folder / "_site" / "report.html").read_text() == "the last good page"
    assert {path.name for path in folder.iterdir()} - before <= {"_figures", ".quarto", ".cache"}


@contextmanager
def preview(folder: Path, **environment: str) -> Iterator[str]:
    """A preview of the project, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["quarto", "preview", "--no-browser", "--port", str(port)], cwd=folder, start_new_session=True,
        env=os.environ | {"QUARTO_PYTHON": sys.executable} | environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://localhost:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def fetched(address: str, awaited: str) -> str:
    """The page at an address, asked for again until it holds what is awaited or two minutes are over."""
    page, end = "", time.monotonic() + 120
    while awaited not in page and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address) as answer:
                page = answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    return page


@pytest.mark.parametrize("before", ["assignment", None], ids=["after another profile", "in a fresh clone"])
def test_a_preview_shows_todays_results_templates_and_profile(folder: Path, before: str | None) -> None:
    if before:
        assert run(folder, "quarto", "render", "--profile", before).returncode == 0
    with preview(folder) as address:
        for name in ("report", "appendix", "captions", "provenance"):
            page = fetched(f"{address}/{name}.html", "</html>")
            assert '"profile.name" data-as="text">offline<' in page
        result = folder / "results" / "offline" / "vit.json"
        result.write_text(
            result.read_text().replace('"ViT with convolutional stem (0.6 M)"', '"Another name"')
        )
        assert "Another name" in fetched(f"{address}/report.html", "Another name")
        template = folder / "templates" / "set_up.md.j2"
        template.write_text(template.read_text().replace("The trained models saw", "These two saw"))
        assert "These two saw the test images" in fetched(f"{address}/appendix.html", "These two saw")
