"""The folder of a site: replaced whole, in one step, and only if it is a site that a render made."""

import ctypes
import signal
import threading
import time
from pathlib import Path

import pytest

from pipeline.errors import UserError
from reporting.rendering import output
from reporting.rendering.output import MARK, replacing
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.refusals import refusal

KILLED = """
import os, sys
from pathlib import Path
from reporting.rendering import output

target, root, moment = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
rename = Path.rename


def dying(self, other):
    if moment == "after the old one went" and self.name == "new":
        os.kill(os.getpid(), 9)
    return rename(self, other)


Path.rename = dying
output._exchanged = lambda *_: False
with output.replacing(target, root) as new:
    (new / "report.html").write_text("new")
    if moment == "while it renders":
        os.kill(os.getpid(), 9)
"""


def site(root: Path, text: str, target: Path | None = None) -> Path:
    target = target or root / "_site"
    with replacing(target, root) as new:
        (new / "report.html").write_text(text)
    return target


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def killed(root: Path, target: Path, moment: str) -> None:
    assert python(ROOT, "-c", KILLED, target, root, moment).returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["after the old one went", "while it renders"])
@pytest.mark.parametrize("where", ["_site", "../elsewhere"])
def test_after_a_kill_the_next_render_begins_with_the_last_site_and_a_clean_folder(
    root: Path, moment: str, where: str
) -> None:
    target = (root / where).resolve()
    site(root, "old", target)
    killed(root, target, moment)
    with pytest.raises(UserError, match="no"), replacing(target, root):
        assert (target / "report.html").read_text() == "old"
        raise UserError("no")
    assert (target / "report.html").read_text() == "old"
    assert not [*root.rglob("site-*"), *target.parent.glob("site-*"), *root.rglob(".site-*")]


def test_another_site_of_a_render_that_was_killed_goes_back_to_its_own_place(root: Path) -> None:
    one, other = root.parent / "one", root.parent / "other"
    site(root, "old", one)
    killed(root, one, "after the old one went")
    assert not one.exists()
    site(root, "new", other)
    assert (one / "report.html").read_text() == "old"


def test_the_folder_of_a_render_under_way_is_left_alone(root: Path) -> None:
    target = root / "_site"
    with replacing(target, root) as new:
        (new / "report.html").write_text("the slower one")
        site(root, "the quicker one")
        assert (new / "report.html").is_file()
    assert (target / "report.html").read_text() == "the slower one"


def test_what_only_looks_like_a_folder_of_a_render_stays(root: Path) -> None:
    thesis = root.parent / "site-2024" / "thesis.docx"
    thesis.parent.mkdir()
    thesis.touch()
    site(root, "x", root.parent / "output")
    assert thesis.exists()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "renameat2"), reason="this system cannot exchange folders")
def test_there_is_a_whole_site_at_every_moment_of_a_swap(root: Path) -> None:
    target, gaps, done = site(root, "old"), [], threading.Event()

    def look() -> None:
        while not done.is_set():
            try:
                (target / "report.html").read_text()
            except FileNotFoundError:
                gaps.append(time.monotonic())

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(30):
        site(root, str(number))
    done.set()
    watcher.join()
    assert gaps == []


@pytest.mark.parametrize("interrupted", ["old", "new"])
def test_the_keyboard_between_two_renames_leaves_a_site(
    root: Path, monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    target, rename = site(root, "old"), Path.rename
    monkeypatch.setattr(output, "_exchanged", lambda *_: False)

    def press(self: Path, other: Path) -> Path:
        if interrupted == "new" and self.name == "new":
            raise KeyboardInterrupt
        done = rename(self, other)
        if interrupted == "old" and other.name == "old":
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(Path, "rename", press)
    with pytest.raises(KeyboardInterrupt):
        site(root, "new")
    assert (target / "report.html").read_text() == "old"


OTHERS = {
    "one report": ["report.html"],
    "a report and a thesis": ["report.html", "thesis.docx"],
    "a site and a thesis": [MARK, "report.html", "thesis.docx"],
    "a folder": ["pets/dog.jpg"],
}


@pytest.mark.parametrize("there", OTHERS)
@pytest.mark.parametrize("pages", [(), ("other.html",)])
def test_a_folder_that_no_render_made_or_that_holds_more_is_not_replaced(
    root: Path, there: str, pages: tuple[str, ...]
) -> None:
    target = root.parent / "mine"
    if MARK in OTHERS[there]:
        site(root, "old", target)
    for name in OTHERS[there]:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).touch()
    before = sorted(target.rglob("*"))
    with (
        pytest.raises(UserError, match=r"mine is not a site .* remove it first"),
        replacing(target, root, pages),
    ):
        raise AssertionError("it began")
    assert sorted(target.rglob("*")) == before


def test_what_somebody_put_into_the_projects_own_site_is_not_lost(root: Path) -> None:
    thesis = site(root, "old", root / "_site") / "thesis.docx"
    thesis.touch()
    with (
        pytest.raises(UserError, match=r"it holds thesis\.docx"),
        replacing(root / "_site", root, ["report.html"]),
    ):
        raise AssertionError("it began")
    assert thesis.exists()


def test_a_mark_that_is_no_text_is_a_mark_that_names_nothing(root: Path) -> None:
    (site(root, "old", root / "mine") / MARK).write_bytes(b"\xff\xfe\0")
    assert "it holds report.html" in refusal(site, root, "new", root / "mine")


def test_what_a_power_cut_left_of_a_record_stops_no_render(root: Path) -> None:
    left = root / ".cache" / "site-left"
    (left / "old").mkdir(parents=True)
    (left / ".rendering").touch()
    (left / ".target").write_bytes(b"\0" * 20)
    assert (site(root, "new") / "report.html").read_text() == "new"
    assert not left.exists()


def test_a_file_is_not_replaced(root: Path) -> None:
    (root / "report").write_text("x")
    assert "is not a site" in refusal(site, root, "new", root / "report")


def test_a_site_that_a_render_made_an_empty_folder_and_the_projects_own_are_replaced(root: Path) -> None:
    (root.parent / "empty").mkdir()
    for target in (site(root, "old"), root.parent / "empty"):
        assert (site(root, "new", target) / "report.html").read_text() == "new"
        assert not (target / "old.html").exists()
    (root / "own").mkdir()
    (root / "own" / "report.html").touch()  # as Quarto leaves it, without a mark
    with replacing(root / "own", root, ["report.html"]) as new:
        (new / "report.html").write_text("new")
    assert {path.name for path in (root / "own").iterdir()} == {"report.html", MARK}
