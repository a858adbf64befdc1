"""Results of a user's own data: what makes them stale, and what a clone without the data says."""

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from experiments.config.photos import PhotoFolder
from experiments.datasets.fingerprints import local_files
from experiments.project import open_project
from experiments.stages import IMAGES
from pipeline import freshness, keys, runner, store
from pipeline.errors import UserError
from pipeline.project import Project
from tests.support.copies import copy_parts

PROFILE = """
[images]
kind = "folder"
folder = "pets"
size = 16
test_share = 0.25
seed = 0

[photos]
kind = "folder"
folder = "holiday"
captions = "holiday/captions.csv"
tuning = 3
evaluation = 2
seed = 0
"""


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with two folders of a user's own, and a profile of them that is `smoke` otherwise."""
    copy_parts(tmp_path, "pipeline", "experiments", "profiles")
    smoke = (tmp_path / "profiles" / "smoke.toml").read_text()
    head, _, rest = smoke.partition("[images]")
    text = head + PROFILE + "[captioner]" + rest.partition("[captioner]")[2]
    assert set(tomllib.loads(text)) == set(tomllib.loads(smoke))
    (tmp_path / "profiles" / "mine.toml").write_text(text)
    for number in range(8):
        draw(tmp_path / "pets" / ("cat" if number % 2 else "dog") / f"{number}.png", number)
    lines = ["image,caption"]
    for number in range(9):
        draw(tmp_path / "holiday" / f"photo {number}.jpg", 100 + number)
        lines += [f"photo {number}.jpg,caption {number} {which}" for which in "ab"]
    (tmp_path / "holiday" / "captions.csv").write_text("\n".join(lines))
    return tmp_path


def inspected(root: Path) -> Project:
    project = open_project("mine", root)
    runner.bring_up_to_date(project, ["data_sets"], Console(quiet=True))
    return project


def state(root: Path) -> tuple[str, tuple[str, ...]]:
    found = freshness.of(open_project("mine", root), "data_sets")
    return found.state, found.why


def test_a_run_on_folders_alone_says_what_they_are_and_keeps_their_manifests(root: Path) -> None:
    project = inspected(root)
    found = store.read(project, "data_sets").value
    assert (found.images.kind, found.images.name, found.images.files) == ("folder", "pets", 8)
    assert (found.photos.kind, found.photos.name, found.photos.files) == ("folder", "holiday", 6)
    manifest = (project.results / "photos.sha256").read_text().splitlines()
    assert len(manifest) == 6
    assert manifest[0].endswith("  captions.csv")
    assert str(root) not in (project.results / "data_sets.json").read_text()


def test_results_are_fresh_where_the_folders_are_not(root: Path) -> None:
    inspected(root)
    shutil.rmtree(root / "pets")
    shutil.rmtree(root / "holiday")
    shutil.rmtree(root / ".cache")
    assert state(root) == ("fresh", ())


def test_a_folder_that_is_moved_keeps_what_was_computed_from_it(root: Path) -> None:
    before = keys.data_of(open_project("mine", root), IMAGES)
    (root / "pets").rename(root / "animals")
    path = root / "profiles" / "mine.toml"
    path.write_text(path.read_text().replace('folder = "pets"', 'folder = "animals"'))
    assert keys.data_of(open_project("mine", root), IMAGES) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: draw(root / "pets" / "cat" / "1.png", 55),
        lambda root: draw(root / "pets" / "cat" / "more.png", 55),
        lambda root: (root / "pets" / "dog" / "2.png").rename(root / "pets" / "cat" / "2.png"),
        lambda root: (root / "holiday" / "captions.csv").write_text(
            (root / "holiday" / "captions.csv").read_text().replace("caption 3 a", "caption 3 c")
        ),
    ],
)
def test_a_change_of_content_makes_results_stale(root: Path, change: object) -> None:
    inspected(root)
    change(root)  # pyright: ignore[reportCallIssue]
    assert state(root) == ("stale", ("data: the data set is another",))


def test_files_that_are_not_used_change_nothing(root: Path) -> None:
    inspected(root)
    used = (root / "results" / "mine" / "photos.sha256").read_text()
    unused = next(path for path in (root / "holiday").glob("*.jpg") if path.name not in used)
    draw(unused, 77)
    (root / "pets" / "cat" / "notes.txt").write_text("not a picture")
    assert state(root) == ("fresh", ())


def test_a_folder_that_is_neither_there_nor_recorded_is_one_sentence(root: Path) -> None:
    shutil.rmtree(root / "pets")
    with pytest.raises(UserError, match=r"images\.folder \(pets\) is not on this machine: place it there"):
        state(root)


def test_a_photo_that_the_captions_name_and_that_is_gone_is_one_sentence(root: Path) -> None:
    project = inspected(root)
    used = (project.results / "photos.sha256").read_text().splitlines()[-1].split("  ")[1]
    (root / "holiday" / used).unlink()
    with pytest.raises(UserError, match=r"photo \d\.jpg"):
        state(root)


def test_captions_that_lie_elsewhere_are_known_by_their_name_alone(root: Path) -> None:
    (root / "texts").mkdir()
    shutil.move(root / "holiday" / "captions.csv", root / "texts" / "captions.csv")
    config = PhotoFolder(
        kind="folder", folder="holiday", captions="texts/captions.csv", tuning=3, evaluation=2, seed=0
    )
    own = local_files(config, root)
    files = own and own.find()
    assert files is not None
    assert "captions.csv" in files.names
    assert files.path("captions.csv") == root / "texts" / "captions.csv"
