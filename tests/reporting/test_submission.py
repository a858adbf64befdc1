"""What is handed in: one zip that builds again from its own content, and is refused where it is wrong."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import UserError
from reporting import submission
from tests.support.commands import python, run
from tests.support.copies import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small project whose pages are newer than all else."""
    files = {
        ".gitignore": (ROOT / ".gitignore").read_text(),
        "report.qmd": "words",
        "requirements-render.lock": "exact",
        "results/offline/vit.json": "{}",
        "results/offline/.vit.lock": "",
        "results/smoke/vit.json": "{}",
        "templates/__pycache__/x.pyc": "",
        ".venv/bin/python": "",
        ".cache/big": "",
        "report.html": "left behind",
        "docs/a page.html": "kept",
        "_site/report.html": "a page",
        "_site/report.pdf": "on paper",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
        os.utime(tmp_path / name, (1_000_000, 1_000_000))
    return tmp_path


HANDED_IN = [
    ".gitignore", "MANIFEST.sha256", "_site/report.html", "_site/report.pdf", "docs/a page.html",
    "report.qmd", "requirements-render.lock", "results/offline/vit.json",
]  # fmt: skip


def packed(folder: Path, name: str = "submission-offline.zip") -> Path:
    submission.pack(folder, folder / name)
    return folder / name


def names(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as whole:
        return sorted(whole.namelist())


def test_it_holds_pages_sources_and_results_and_nothing_that_can_be_made_again(folder: Path) -> None:
    assert names(packed(folder)) == HANDED_IN


def test_where_it_cannot_be_written_is_one_sentence(folder: Path) -> None:
    (folder / "submission-offline.zip").mkdir()
    code = (
        "import sys; from reporting import submission; submission.refuse_unfit = lambda root: None; "
        "submission.typer.run(submission.main)"
    )
    done = python(folder, "-c", code, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "This machine refuses to read or write" in done.stderr


def test_with_git_it_holds_what_git_tracks(folder: Path) -> None:
    (folder / "private.txt").write_text("not tracked")
    assert "private.txt" in names(packed(folder))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "--", "report.qmd", ".gitignore"], cwd=folder, check=True)
    tracked = {".gitignore", "report.qmd"}
    assert {
        name for name in names(packed(folder)) if not name.startswith(("_site", "results", "M"))
    } == tracked


def test_what_is_no_part_of_it_without_git_is_what_git_ignores() -> None:
    done = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
    if done.returncode:
        pytest.skip("this copy of the project is not in Git")
    untracked = {name for name in done.stdout.splitlines() if name.startswith(".venv")}
    assert {*submission._files(ROOT)} == {*done.stdout.splitlines()} - untracked


def test_equal_content_gives_equal_bytes_whenever_it_was_written(folder: Path) -> None:
    first = packed(folder).read_bytes()
    for path in folder.rglob("*"):
        os.utime(path, (2_000_000, 2_000_000))
    assert packed(folder).read_bytes() == first
    (folder / "report.qmd").write_text("other words")
    assert packed(folder).read_bytes() != first


@pytest.mark.parametrize("tracked", [False, True])
def test_a_file_whose_name_has_a_line_break_is_in_the_manifest(
    folder: Path, tmp_path: Path, tracked: bool
) -> None:
    (folder / "two\nlines.txt").write_text("words")
    if tracked:
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        subprocess.run(["git", "add", "."], cwd=folder, check=True)
    with zipfile.ZipFile(packed(folder)) as whole:
        assert "two\nlines.txt" in whole.namelist()
        whole.extractall(tmp_path / "new")
    check = ("sha256sum", "-c", "--quiet", "--strict", "MANIFEST.sha256")
    assert run(tmp_path / "new", *check).returncode == 0


def test_the_manifest_is_checked_by_sha256sum_and_notices_one_byte(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(folder)) as whole:
        whole.extractall(tmp_path / "new")
    check = ("sha256sum", "-c", "--quiet", "MANIFEST.sha256")
    assert run(tmp_path / "new", *check).returncode == 0
    (tmp_path / "new" / "_site" / "report.pdf").write_text("On paper")
    assert run(tmp_path / "new", *check).returncode != 0
    listed = (tmp_path / "new" / "MANIFEST.sha256").read_text()
    assert sorted(line[66:] for line in listed.splitlines()) == [each for each in HANDED_IN if each[0] != "M"]


@pytest.mark.parametrize("name", ["report.qmd", "results/offline/vit.json"])
def test_pages_that_are_older_than_what_they_are_made_from_are_refused(folder: Path, name: str) -> None:
    os.utime(folder / name, (1_000_001, 1_000_001))
    with pytest.raises(
        UserError, match=f"_site is older than {name}, so nothing was packed: run `make report`"
    ):
        submission.refuse_unfit(folder)


def test_pages_that_are_not_there_or_that_the_check_does_not_pass_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess(
        (), 1, stdout="report.html: 'seven' names no origin\nmore\n", stderr=""
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(UserError, match=r"^`make check` fails, so nothing was packed: report.html: 'seven'"):
        submission.refuse_unfit(folder)
    (folder / "_site" / "report.pdf").unlink()
    with pytest.raises(UserError, match="There is no report in _site: run `make report` first"):
        submission.refuse_unfit(folder)


def test_what_is_handed_in_is_fresh_renders_and_passes_its_check_from_its_own_content(tmp_path: Path) -> None:
    """The committed project, without Git: a page stands for the site until it is rendered anew."""
    submission.pack(ROOT, tmp_path / "whole.zip")
    new = tmp_path / "new"
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole:
        whole.extractall(new)
    assert run(new, "sha256sum", "-c", "--quiet", "MANIFEST.sha256").returncode == 0
    status = python(new, "-m", "experiments", "status")
    assert (status.returncode, status.stderr) == (0, "")
    assert "missing" not in status.stdout
    done = python(new, "-m", "reporting.render", "--renderer", "builtin")
    assert done.returncode == 0, done.stderr
    handed_in = python(new, "-m", "reporting.submission")
    assert handed_in.returncode == 0, handed_in.stderr
    assert (new / "submission-offline.zip").is_file()
