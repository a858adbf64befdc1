"""What `make report` does with Quarto, held with a stand-in for it: a whole new site, or the last one."""

import os
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.errors import UserError
from reporting import quarto
from reporting.rendering.output import MARK
from tests.support.commands import python
from tests.support.copies import ROOT

PAGES = "[captions.qmd, report.qmd]"
STAND_IN = """#!/bin/sh
# Called as: quarto render --output-dir DIR
{first}
echo "[1/2] captions.qmd"
mkdir -p report_files site_libs && touch report.html report.typ captions.quarto_ipynb
{then}
"""
WHOLE = """
mkdir -p "$3" && mv report.html "$3/" && echo new > "$3/report.html" && rm -r report_files site_libs
touch "$3/captions.html"
rm report.typ captions.quarto_ipynb
echo "$QUARTO_PYTHON" > "$3/python.txt"
"""
BROKEN = """
printf '\\033[31mERROR: Typst says no\\033[39m\\n' >&2
exit 3
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a site, a file of the author's own, and an empty PATH but for the stand-in."""
    root = tmp_path / "project"
    (root / "_site").mkdir(parents=True)
    (root / "_site" / "report.html").write_text("old")
    (root / "captions.pdf").write_text("the author's own")
    (root / "_quarto.yml").write_text(f"project: {{output-dir: _site, render: {PAGES}}}\ntheme: anything\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return root


def stand_in(root: Path, then: str, first: str = "") -> None:
    program = root.parent / "bin" / "quarto"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(first=first, then=then))
    program.chmod(0o755)


def page(root: Path) -> str:
    return (root / "_site" / "report.html").read_text()


def contents(root: Path) -> dict[str, str | bool]:
    return {path.name: path.is_dir() or path.read_text() for path in root.iterdir() if path.name != ".cache"}


def test_a_whole_site_replaces_the_last_one(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stand_in(root, WHOLE)
    (root / "_site" / "gone.html").write_text("old")
    assert quarto.render(root) == root / "_site"
    names = {path.name for path in (root / "_site").iterdir()}
    assert names == {"report.html", "captions.html", "python.txt", MARK}
    assert page(root) == "new\n"
    assert (root / "_site" / "python.txt").read_text().strip() == sys.executable
    assert capfd.readouterr().err == "[1/2] captions.qmd\n"
    assert not list((root / ".cache").glob("site-*"))


def test_a_failure_leaves_the_last_site_and_a_clean_folder(root: Path) -> None:
    stand_in(root, BROKEN)
    before = contents(root)
    with pytest.raises(UserError) as caught:
        quarto.render(root)
    assert str(caught.value) == (
        "Quarto ended with exit code 3, so _site stays as it was; .cache/quarto.log says why: "
        "ERROR: Typst says no"
    )
    assert page(root) == "old"
    assert "\x1b" not in (root / ".cache" / "quarto.log").read_text()
    assert contents(root) == before


def test_a_run_that_is_interrupted_leaves_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        (root / "report.typ").touch()
        raise KeyboardInterrupt

    before = contents(root)
    monkeypatch.setattr(quarto, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        quarto.render(root)
    assert (page(root), contents(root)) == ("old", before)


@pytest.mark.parametrize("then", ["exit 0\n", WHOLE.replace('touch "$3/captions.html"', "")])
def test_a_site_without_one_of_its_pages_is_no_site(root: Path, then: str) -> None:
    """Quarto ends well without a page that `_quarto.yml` lists and that is not there."""
    stand_in(root, then)
    with pytest.raises(UserError, match=r"Quarto ended without making captions\.html.* stays as it was"):
        quarto.render(root)
    assert page(root) == "old"


def test_what_an_error_opens_belongs_to_the_reason(root: Path) -> None:
    stand_in(root, "echo 'ERROR: in file captions.qmd:'; echo 'Quarto 1.0 is too old'; echo more; exit 1\n")
    with pytest.raises(UserError, match=r"says why: ERROR: in file captions\.qmd: Quarto 1\.0 is too old$"):
        quarto.render(root)


def test_what_is_computed_before_the_pages_is_told(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stand_in(root, f"echo chatter\n{WHOLE}", first="echo vit: 3 of 8 epochs")
    quarto.render(root)
    assert capfd.readouterr().err == "vit: 3 of 8 epochs\n[1/2] captions.qmd\n"
    assert "chatter" in (root / ".cache" / "quarto.log").read_text()


def test_a_second_render_at_the_same_time_is_answered_and_harms_nothing(root: Path) -> None:
    stand_in(root, WHOLE)
    (root / ".cache").mkdir()
    with (
        FileLock(root / ".cache" / "quarto.lock"),
        pytest.raises(UserError, match="Another render by Quarto"),
    ):
        quarto.render(root)
    assert page(root) == "old"
    quarto.render(root)
    assert page(root) == "new\n"


def test_a_folder_that_is_no_site_is_not_replaced(root: Path) -> None:
    stand_in(root, WHOLE)
    (root.parent / "photos").mkdir()
    (root.parent / "photos" / "a.jpg").touch()
    with pytest.raises(UserError, match="not a site made from these pages"):
        quarto.render(root, root.parent / "photos")
    assert (root.parent / "photos" / "a.jpg").exists()


@pytest.mark.parametrize("text", ["project: [", "- a\n", "project: 3\n"])
def test_settings_that_cannot_be_read_are_said_to_be(root: Path, text: str) -> None:
    (root / "_quarto.yml").write_text(text)
    with pytest.raises(UserError, match=r"_quarto\.yml in .* cannot be read"):
        quarto.render(root)


def test_the_command_takes_quarto_where_it_is_and_says_so(root: Path) -> None:
    stand_in(root, WHOLE)
    done = python(root, "-m", "reporting.render", PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Rendered by Quarto:\n")
    assert str(root / "_site" / "report.html") in done.stdout


def test_quarto_that_is_asked_for_and_is_not_there_is_one_sentence(root: Path) -> None:
    command = ("-m", "reporting.render", "--renderer", "quarto")
    done = python(root, *command, PATH="/nowhere", PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--renderer builtin" in done.stderr
    assert page(root) == "old"
