"""Results of a user's own data: what makes them stale, and what a clone without the data says."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from experiments.project import open_project
from experiments.stages import IMAGES as IMAGES_DATA
from pipeline import freshness, keys, runner, store
from pipeline.errors import UserError
from pipeline.project import Project
from tests.support.copies import copy_parts
from tests.support.small_profiles import IMAGES, PHOTOS, draw, draw_classes, draw_photos, project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two folders of a user's own, and a profile of them that is `smoke` otherwise."""
    copy_parts(tmp_path, "pipeline", "experiments", "profiles")
    project(tmp_path, IMAGES, PHOTOS)
    draw_classes(tmp_path / "animals", count=4)
    draw_photos(tmp_path, count=9)
    return tmp_path


def inspected(root: Path) -> Project:
    opened = open_project("mine", root)
    runner.bring_up_to_date(opened, ["data_sets"], Console(quiet=True))
    return opened


def state(root: Path) -> tuple[str, tuple[str, ...]]:
    found = freshness.of(open_project("mine", root), "data_sets")
    return found.state, found.why


def recorded_files(opened: Project) -> set[str]:
    """Return the names that the recorded manifest lists: of the captions and of all photos that are drawn."""
    lines = (opened.results / "photos.sha256").read_text().splitlines()
    return {line.split("  ")[1] for line in lines}


def test_a_run_on_folders_alone_says_what_they_are_and_keeps_their_manifests(root: Path) -> None:
    opened = inspected(root)
    found = store.read(opened, "data_sets").value
    assert (found.images.kind, found.images.name, found.images.files) == ("folder", "animals", 8)
    assert (found.photos.kind, found.photos.name, found.photos.files) == ("folder", "photos", 9)
    files = recorded_files(opened)
    assert len(files) == 9
    assert "captions.csv" in files, "by its name alone, wherever it lies"
    assert str(root) not in (opened.results / "data_sets.json").read_text()


def test_results_are_fresh_where_the_folders_are_not(root: Path) -> None:
    inspected(root)
    for folder in ("animals", "photos", ".cache"):
        shutil.rmtree(root / folder)
    assert state(root) == ("fresh", ())


def test_a_folder_that_is_moved_keeps_what_was_computed_from_it(root: Path) -> None:
    before = keys.data_of(open_project("mine", root), IMAGES_DATA)
    (root / "animals").rename(root / "pets")
    project(root, IMAGES.replace("animals", "pets"), PHOTOS)
    assert keys.data_of(open_project("mine", root), IMAGES_DATA) == before


def change_a_caption(root: Path) -> None:
    path = root / "captions.csv"
    path.write_text(path.read_text().replace("thing number", "object"))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: draw(root / "animals" / "cat" / "1.png", 55),
        lambda root: draw(root / "animals" / "cat" / "more.png", 55),
        lambda root: (root / "animals" / "dog" / "2.png").rename(root / "animals" / "cat" / "5.png"),
        change_a_caption,
    ],
)
def test_a_change_of_content_makes_results_stale(root: Path, change: Callable[[Path], object]) -> None:
    inspected(root)
    change(root)
    found, why = state(root)
    assert found == "stale"
    assert re.fullmatch(r"data: what \[(images|photos)\] names is another", "; ".join(why))


def test_files_that_are_not_used_change_nothing(root: Path) -> None:
    used = recorded_files(inspected(root))
    unused = next(path for path in (root / "photos").iterdir() if path.name not in used)
    draw(unused, 77)
    (root / "animals" / "cat" / "notes.txt").write_text("not a picture")
    assert state(root) == ("fresh", ())


def test_a_folder_that_is_neither_there_nor_recorded_is_one_sentence(root: Path) -> None:
    shutil.rmtree(root / "animals")
    with pytest.raises(UserError, match=r"images\.folder \(animals\) is not on this machine: place it there"):
        state(root)


def test_a_photo_that_the_captions_name_and_that_is_gone_is_one_sentence(root: Path) -> None:
    gone = min(recorded_files(inspected(root)))
    (root / "photos" / gone).unlink()
    with pytest.raises(UserError, match=rf"photos has no '{gone}'"):
        state(root)
