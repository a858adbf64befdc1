"""The real pages, rendered from the committed results without Quarto."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.project import open_project
from pipeline import freshness
from reporting.check import check
from reporting.checking.page import parse, text_of
from reporting.checking.paper import read
from reporting.document import open_document
from reporting.numbers import Numbers
from tests.support.copies import PAGES, copy_parts

PARTS = ("data", "pipeline", "experiments", "figures", "profiles", "reporting", "results", "templates")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "QUARTO_PROFILE"} | {
    "SOURCE_DATE_EPOCH": "1700000000"
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two copies of the project in different places, each with its pages rendered."""
    first, second = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("other") / "a copy elsewhere"
    second.mkdir()
    renders = [
        subprocess.Popen(
            [sys.executable, "-m", "reporting.render", "--renderer", "builtin"],
            cwd=copy_parts(folder, *PARTS, *PAGES), env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for folder in (first, second)
    ]  # fmt: skip
    for render in renders:
        said, _ = render.communicate()
        assert render.returncode == 0, said
        assert "without Quarto" in said
    return first, second


@pytest.fixture(scope="module")
def folder(folders: tuple[Path, Path]) -> Path:
    """A copy of the project with its pages rendered."""
    return folders[0]


@pytest.fixture
def site(folder: Path, tmp_path: Path) -> Path:
    """A copy of the pages, to be changed."""
    return shutil.copytree(folder / "_site", tmp_path / "_site")


@pytest.fixture(scope="module")
def numbers(folder: Path) -> Numbers:
    """What the results of the copy say."""
    return open_document(open_project("offline", folder)).numbers


def test_the_site_has_its_pages_and_the_pdf(folder: Path) -> None:
    names = {path.name for path in (folder / "_site").iterdir()}
    assert {"index.html", "report.html", "report.pdf", "captions.html", "provenance.html"} <= names


def test_the_first_page_names_the_profile(folder: Path) -> None:
    assert "Profile: offline" in text_of(parse((folder / "_site" / "report.html").read_text()))
    assert "Profile: offline" in read(folder / "_site" / "report.pdf").sheets[0].text


def test_two_renders_in_two_folders_are_the_same_bytes(folders: tuple[Path, Path]) -> None:
    one, other = ({path.name: path.read_bytes() for path in (at / "_site").iterdir()} for at in folders)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


# Every number


def test_every_number_on_every_page_is_what_the_results_say(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reporting.check"], cwd=folder, env=ENVIRONMENT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    found = re.fullmatch(r"([\d,]+) numbers on 3 pages agree with the results\n", done.stdout)
    assert found, done.stdout
    assert int(found[1].replace(",", "")) > 1000
    assert done.returncode == 0


def test_the_command_fails_with_a_line_for_each_problem(folder: Path, site: Path) -> None:
    page = site / "captions.html"
    page.write_text(page.read_text().replace("</main>", "<p>We reached 93.1 % and ½.</p></main>"))
    done = subprocess.run(
        [sys.executable, "-m", "reporting.check", "--site", site, "--profile", "offline"], cwd=folder,
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [
        "captions.html: '93.1' names no origin: We reached 93.1 % and ½.",
        "captions.html: '½.' names no origin: We reached 93.1 % and ½.",
    ]
    assert done.stdout.splitlines() == lines
    assert done.returncode == 1


def test_without_pages_the_command_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reporting.check", "--site", tmp_path], cwd=folder, env=ENVIRONMENT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "make report" in done.stderr


@pytest.mark.parametrize(
    ("page", "change", "said"),
    [
        ("report.html", ("</main>", "<p>We reached 93.1 %.</p></main>"), "names no origin"),
        ("report.html", (r'(data-as="percent">)\d', r"\g<1>4"), "should be"),
        ("report.html", (r"vit\.top1\.value", "vit.top2.value"), "cannot be read"),
        ("report.html", ('data-as="count"', 'data-as="number"'), "no known format"),
        ("report.html", ("(<figcaption>\\s*Table.1: )", r"\1In 2031, "), "names no origin"),
        ("report.html", ('(alt="[^"]*)"', r'\1 and 77777"'), "in an alternative text"),
        ("captions.html", (r"records\.3\.", "records.4."), "should be"),
        ("provenance.html", ('data-as="short"', 'data-as="text"'), "should be"),
        ("provenance.html", ('data-from="cnn:key"', ""), "names no origin"),
    ],
)
def test_whatever_is_changed_on_a_page_is_caught(
    numbers: Numbers, site: Path, page: str, change: tuple[str, str], said: str
) -> None:
    text = (site / page).read_text()
    changed = re.sub(*change, text)
    assert changed != text
    (site / page).write_text(changed)
    problems = check(site, numbers).problems
    assert any(problem.page == page and said in problem.what for problem in problems), problems


def altered(folder: Path, results: Path, stage: str, alter: Callable[[dict[str, Any]], None]) -> Path:
    """Copy the results, with one of them altered."""
    shutil.copytree(folder / "results" / "offline", results)
    content = json.loads((results / f"{stage}.json").read_text())
    alter(content)
    (results / f"{stage}.json").write_text(json.dumps(content))
    return results


def test_results_that_have_changed_since_are_caught(folder: Path, tmp_path: Path) -> None:
    def alter(content: dict[str, Any]) -> None:
        content["value"]["top1"]["value"] += 0.001

    results = altered(folder, tmp_path / "offline", "cnn", alter)
    project = replace(open_project("offline", folder), results=results)
    problems = check(folder / "_site", open_document(project).numbers).problems
    assert {"report.html"} <= {problem.page for problem in problems if problem.where == "cnn.top1.value"}
    assert all("cnn.top1.value" in problem.where for problem in problems)


def test_a_pdf_of_another_render_is_caught(numbers: Numbers, site: Path) -> None:
    page = site / "report.html"
    page.write_text(page.read_text().replace("Every number", "Every number, of 93,", 1))
    problems = [problem for problem in check(site, numbers).problems if problem.page == "report.pdf"]
    assert any("other digits than the page" in problem.what for problem in problems)


# What is shown


@pytest.mark.parametrize("page", ["report.html", "captions.html", "provenance.html"])
def test_nothing_is_missing_and_nothing_fresh_is_called_stale(folder: Path, page: str) -> None:
    text = (folder / "_site" / page).read_text()
    assert "Missing:" not in text
    project = open_project("offline", folder)
    states = freshness.states(project, project.stages)
    called = re.findall(r"Stale: (\w+(?:, \w+)*)", text)
    assert len(called) == text.count("Stale:")
    for stage in {stage for stages in called for stage in stages.split(", ")}:
        assert states[stage].state == "stale"


def test_every_evaluation_photo_is_on_the_page_of_captions_and_the_examples_are_in_the_report(
    folder: Path,
) -> None:
    gallery = (folder / "_site" / "captions.html").read_text()
    assert gallery.count("data:image/png;base64,") == 60
    report = (folder / "_site" / "report.html").read_text()
    assert report.count("data:image/png;base64,") == 5
