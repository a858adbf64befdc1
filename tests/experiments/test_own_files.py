"""Results of a user's own data: what makes them stale, and what a clone without the data says."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.context import Context
from experiments.datasets import image_folder
from experiments.lending import IMAGES as IMAGES_DATA
from experiments.lending import PHOTOS as PHOTOS_DATA
from experiments.models.torchvision_shim import declare_missing_operators
from experiments.project import open_project
from pipeline import freshness, keys, manifest, runner, store
from pipeline.closure import Code
from pipeline.project import Project
from pipeline.stage import Identity, Stage, pipeline
from tests.support.commands import python
from tests.support.copies import copy_parts
from tests.support.idx import idx
from tests.support.refusals import refusal
from tests.support.small_profiles import IMAGES, PHOTOS, draw, draw_classes, draw_photos, project
from tests.support.stored import put
from tests.support.toy import Sum

SENTENCE = r"What the profile names as images\.folder \(animals\) is not on this machine: place it there"


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
    """Return the names that the recorded manifest lists: of all photos that are drawn."""
    return {*manifest.parsed(manifest.recorded(opened.results / "photos.sha256"))[1]}


def test_a_run_says_once_what_is_not_there_and_begins_nothing(root: Path) -> None:
    shutil.rmtree(root / "animals")
    (root / "captions.csv").unlink()
    run = python(root, "-m", "experiments", "run", "cnn", "data_sets", "--profile", "mine")
    assert (run.returncode, run.stdout) == (2, "")
    images, photos = run.stderr.splitlines()
    assert re.match(SENTENCE, images)
    assert photos.startswith("What the profile names as photos.folder (photos) or photos.captions")


def test_a_run_refuses_two_folders_that_a_person_takes_for_one_class(root: Path) -> None:
    for number in range(4):
        draw(root / "animals" / "Cat" / f"{number}.png", 9000 + number)
    run = python(root, "-m", "experiments", "run", "data_sets", "--profile", "mine")
    assert (run.returncode, run.stdout) == (2, "")
    (told,) = run.stderr.splitlines()
    assert "the folders 'Cat' and 'cat' differ only by case" in told


def test_a_run_on_folders_alone_says_what_they_are_and_keeps_their_manifests(root: Path) -> None:
    opened = inspected(root)
    found = store.read(opened, "data_sets").value
    assert (found.images.kind, found.images.name, found.images.files) == ("folder", "animals", 8)
    assert (found.photos.kind, found.photos.name, found.photos.files) == ("folder", "photos", 8)
    assert len(recorded_files(opened)) == 8
    assert str(root) not in (opened.results / "data_sets.json").read_text()


def lose_all(root: Path) -> None:
    for folder in ("animals", "photos", ".cache"):
        shutil.rmtree(root / folder)
    (root / "captions.csv").unlink()


def empty(root: Path) -> None:
    """Leave the folder where a disk was mounted."""
    for folder in ("animals", "photos"):
        shutil.rmtree(root / folder)
        (root / folder).mkdir()


def lose_a_photo(root: Path) -> None:
    (root / "photos" / min(recorded_files(open_project("mine", root)))).unlink()


def lose_the_captions(root: Path) -> None:
    (root / "captions.csv").unlink()


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lose_all, ["of [images], 8 files are", "of [photos], 9 files are"]),
        (empty, ["of [images], 8 files are", "of [photos], 8 files are"]),
        (lose_a_photo, ["of [photos], 1 file is"]),
        (lose_the_captions, ["of [photos], 1 file is"]),
    ],
)
def test_what_is_not_there_is_judged_by_its_record_and_named(
    root: Path, loss: Callable[[Path], None], said: list[str]
) -> None:
    inspected(root)
    loss(root)
    found = freshness.of(open_project("mine", root), "data_sets")
    assert (found.state, found.why) == ("fresh", ())
    assert [remark.partition(" not on this machine")[0] for remark in found.remarks] == said


@pytest.mark.parametrize("loss", [lose_a_photo, lose_the_captions])
def test_an_altered_photo_makes_stale_also_where_something_else_is_gone(
    root: Path, loss: Callable[[Path], None]
) -> None:
    drawn = recorded_files(inspected(root))
    loss(root)
    draw(root / "photos" / max(drawn), 99)
    assert state(root) == ("stale", ("data: what [photos] names is another",))


def test_each_stage_is_judged_by_itself_where_data_are_neither_there_nor_recorded(root: Path) -> None:
    words = "experiments.captioning.scoring.words:words"
    stages = [
        Stage(name=data.name, function=words, result=Sum, config="cnn", data=(data,))
        for data in (IMAGES_DATA, PHOTOS_DATA)
    ]
    after = Stage(name="after", function=words, result=Sum, config="cnn", inputs=("images",))
    opened = replace(open_project("mine", root), stages=pipeline(*stages, after))
    for name in ("images", "photos"):
        put(opened, name, Sum(total=1))
    shutil.rmtree(root / "animals")
    found = freshness.states(opened, opened.stages)
    assert {name: each.state for name, each in found.items()} == {
        "images": "stale", "photos": "fresh", "after": "missing"
    }  # fmt: skip
    assert re.match(SENTENCE, found["images"].why[0]) and found["after"].why == found["images"].why


def test_what_can_not_be_told_ends_no_question_and_only_the_run_that_needs_it(root: Path) -> None:
    shutil.rmtree(root / "animals")
    asked = python(root, "-m", "experiments", "status", "--profile", "mine")
    assert asked.returncode == 0 and re.search(SENTENCE, asked.stdout)
    refused = python(root, "-m", "experiments", "run", "data_sets", "--profile", "mine")
    assert refused.returncode == 2 and re.search(SENTENCE, refused.stderr)


def identity(root: Path) -> Identity:
    return keys.identity(open_project("mine", root), IMAGES_DATA, keys.Today(Code(root)))


def test_a_folder_that_is_moved_keeps_what_was_computed_from_it(root: Path) -> None:
    before = identity(root)
    (root / "animals").rename(root / "pets")
    project(root, IMAGES.replace("animals", "pets"), PHOTOS)
    assert identity(root) == before


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


@pytest.mark.parametrize("how", ["a file is written", "the folder is another"])
@pytest.mark.parametrize("moment", ["before they are read", "while they are read", "before the result"])
@pytest.mark.parametrize("is_put_back", [True, False])
def test_of_files_that_change_while_a_stage_is_computed_nothing_is_kept(
    root: Path, how: str, moment: str, is_put_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell what was read: neither a result nor prepared pictures pass for those of other files."""
    opened, file, aside = open_project("mine", root), root / "animals" / "cat" / "1.png", root / "aside"
    before = file.read_bytes()

    def exchange() -> None:
        if how == "the folder is another" and not aside.exists():
            (root / "animals").rename(aside)
            shutil.copytree(aside, root / "animals")
        draw(file, 55)

    def put_back() -> None:
        if aside.exists():
            shutil.rmtree(root / "animals")
            aside.rename(root / "animals")
        else:
            file.write_bytes(before)

    def lend(call: runner.Call) -> Context:
        if moment == "before they are read":
            exchange()
        lent = opened.lend(call)
        if moment == "before the result":
            call.load("images")
            exchange()
        return lent

    real = image_folder.decode

    def decode(path: Path) -> np.ndarray:
        if path == file and moment == "while they are read":
            exchange()
        return real(path)

    with monkeypatch.context() as during:
        during.setattr(image_folder, "decode", decode)
        if is_put_back:
            keep = runner._assert_same_data
            during.setattr(runner, "_assert_same_data", lambda *told: (put_back(), keep(*told)))
        sentence = refusal(
            runner.bring_up_to_date, replace(opened, lend=lend), ["data_sets"], Console(quiet=True)
        )
    assert re.match(r"What \[images\] names changed (just now|while data_sets was computed)", sentence)
    if aside.exists() or file.read_bytes() != before:
        put_back()
    assert state(root)[0] == "missing"
    kept = store.read(inspected(root), "data_sets").value
    shutil.rmtree(root / ".cache")
    (opened.results / "data_sets.json").unlink()
    assert store.read(inspected(root), "data_sets").value == kept, "warm as cold"


def test_files_that_are_not_used_change_nothing(root: Path) -> None:
    used = recorded_files(inspected(root))
    unused = next(path for path in (root / "photos").iterdir() if path.name not in used)
    draw(unused, 77)
    (root / "animals" / "cat" / "notes.txt").write_text("not a picture")
    assert state(root) == ("fresh", ())


def test_a_photo_that_was_never_recorded_is_not_drawn(root: Path) -> None:
    (root / "photos" / "3.png").unlink()
    assert state(root) == ("missing", ("it was never computed",))
    assert "3.png" not in recorded_files(inspected(root))


TWO = [f'{number}.png,"thing number {number}"\n{number}.png,"item {number}"' for number in range(9)]
REWRITTEN = {
    "another order of photos": ("\n".join(["image,caption", *TWO[::-1]]), "fresh"),
    "other line endings": ("\r\n".join(["image,caption", *TWO]).replace('"\n', '"\r\n'), "fresh"),
    "a byte-order mark": ("\ufeff" + "\n".join(["image,caption", *TWO]), "fresh"),
    "another order of one photo's captions": (
        "\n".join(["image,caption", *("\n".join(lines.split("\n")[::-1]) for lines in TWO)]),
        "stale",
    ),
}


@pytest.mark.parametrize("how", REWRITTEN)
def test_captions_are_known_by_what_is_read_of_them(root: Path, how: str) -> None:
    path, (text, expected) = root / "captions.csv", REWRITTEN[how]
    path.write_text("\n".join(["image,caption", *TWO]))
    inspected(root)
    path.write_bytes(text.encode())
    assert state(root)[0] == expected


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_the_photos_are_checked_by_sha256sum(root: Path) -> None:
    opened = inspected(root)
    command = ["sha256sum", "--strict", "-c", str(opened.results / "photos.sha256")]
    assert subprocess.run(command, cwd=root / "photos", capture_output=True, check=False).returncode == 0
    draw(root / "photos" / max(recorded_files(opened)), 99)
    assert subprocess.run(command, cwd=root / "photos", capture_output=True, check=False).returncode == 1


def test_a_clone_with_other_line_endings_has_the_same_keys(root: Path) -> None:
    copy_parts(root, "data")
    inspected(root)
    shutil.rmtree(root / "animals")
    opened = [open_project(name, root) for name in ("mine", "offline")]
    before = [keys.key(keys.ingredients(each, name)) for each in opened for name in each.stages]
    files = (path for path in root.rglob("*") if path.is_file() and ".cache" not in path.parts)
    texts = [path for path in files if path.suffix in {".py", ".toml", ".csv", ".sha256", ".json", ".md"}]
    for path in texts:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert {path.suffix for path in texts} >= {".py", ".toml", ".csv", ".sha256", ".json"}
    opened = [open_project(name, root) for name in ("mine", "offline")]
    assert [keys.key(keys.ingredients(each, name)) for each in opened for name in each.stages] == before
    assert state(root) == ("fresh", ())


DOWNLOADED = '[images]\nkind = "torchvision"\nname = "FashionMNIST"\nsize = 16\n'


def test_what_torchvision_downloaded_is_known_by_its_files(root: Path, monkeypatch: pytest.MonkeyPatch):
    declare_missing_operators()
    from torchvision.datasets import FashionMNIST

    downloads = []

    def download(data: FashionMNIST) -> None:
        downloads.append(data)
        for part, count in (("train", 30), ("t10k", 20)):
            idx(Path(data.raw_folder) / f"{part}-images-idx3-ubyte", np.full((count, 28, 28), count))
            idx(Path(data.raw_folder) / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)

    monkeypatch.setattr(FashionMNIST, "download", download)
    project(root, DOWNLOADED, PHOTOS)
    assert state(root)[0] == "missing"
    opened = inspected(root)
    assert (state(root), len(downloads)) == (("fresh", ()), 1)
    assert store.read(opened, "data_sets").value.images.files == 8
    place = opened.downloads / "torchvision" / "FashionMNIST"
    idx(place / "FashionMNIST" / "raw" / "train-images-idx3-ubyte", np.zeros((30, 28, 28)))
    assert state(root) == ("stale", ("data: what [images] names is another",))
    shutil.rmtree(place)
    assert state(root) == ("fresh", ())
    (opened.results / "data_sets.json").unlink()
    inspected(root)
    assert (state(root), len(downloads)) == (("fresh", ()), 2)
