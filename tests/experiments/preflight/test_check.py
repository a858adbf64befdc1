import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from experiments.__main__ import app
from experiments.datasets import cifar10
from experiments.new_profile.start import start
from experiments.preflight import check as checking
from experiments.preflight import presence
from experiments.preflight.check import Checked, check, lines
from experiments.project import open_project
from pipeline.freshness import Freshness
from pipeline.project import Project
from tests.support.copies import copy_parts
from tests.support.idx import idx
from tests.support.small_profiles import (
    CAPTIONER,
    IMAGES,
    PHOTOS,
    draw,
    draw_classes,
    draw_photos,
    project,
    save_captioner,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_captioner(tmp_path_factory.mktemp("models") / "captioner")


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be large, whatever that of this machine is."""
    free_is(monkeypatch, 10**12)


def free_is(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(checking.shutil, "disk_usage", lambda path: type("Usage", (), {"free": free}))


def look(opened: Project) -> Checked:
    return check(opened, Console(file=io.StringIO()))


def told(checked: Checked) -> str:
    return "\n".join(lines(checked, "mine"))


def test_the_smoke_profile_is_clean_and_all_of_it_would_run(folder: Path) -> None:
    opened = project(folder)
    checked = look(opened)
    assert checked.findings.problems == ()
    assert checked.to_run == tuple(opened.stages)
    assert "No problem was found" in told(checked)


def test_a_check_leaves_nothing_behind(folder: Path, captioner: Path) -> None:
    draw_classes(folder / "animals")
    draw_photos(folder)
    (folder / "captioner").symlink_to(captioner)
    opened = project(folder, IMAGES, PHOTOS, CAPTIONER)
    before = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    checked = look(opened)
    assert checked.findings.problems == ()
    after = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    # What the files' hashes were is remembered, as by any question about freshness.
    assert sorted(path for path in after if not path.startswith(".cache")) == before
    assert not [path for path in folder.rglob(".cache/**/*") if path.is_file() and "hashes" not in path.parts]


def test_data_and_a_captioner_of_a_users_own_are_clean_and_counted(folder: Path, captioner: Path) -> None:
    draw_classes(folder / "animals", count=12)
    draw_photos(folder, count=10)
    (folder / "captioner").symlink_to(captioner)
    checked = look(project(folder, IMAGES, PHOTOS, CAPTIONER))
    read = "\n".join(checked.findings.read)
    assert "18 training images and 6 test images of 2 classes (cat, dog)" in read
    assert (
        "10 photos with 10 captions in captions.csv, of which 4 are drawn to tune on and 4 to compare" in read
    )
    assert "The captioner captioner: 75,072 parameters" in read
    assert "Disk: " in read
    assert checked.findings.problems == ()


def test_problems_of_every_kind_are_all_told_at_once(folder: Path, captioner: Path) -> None:
    draw_classes(folder / "animals", count=12)
    (folder / "animals" / "cat" / "3.png").write_bytes(b"not a picture")
    (folder / "animals" / "dog" / "5.png").write_bytes(b"")
    draw(folder / "animals" / "dog" / "copy.png", seed=2)  # the same as cat/2.png
    captions = draw_photos(folder, count=10)
    captions.write_text(captions.read_text() + "\nnowhere.png,a thing that is not there\n1.png,\n")
    (folder / "photos" / "7.png").write_bytes(b"broken")
    (folder / "captioner").symlink_to(captioner)
    changed: dict[str, Any] = {
        "lora__targets": '["c_attn", "w_proj"]',
        "lora__r": "64",
        "variants__attention_targets": '["attn"]',
        "generation__max_new_tokens": "600",
        "cnn__widths": "[8, 8, 8, 8, 8]",
        "vit__translate": "16",
    }
    checked = look(project(folder, IMAGES, PHOTOS, CAPTIONER, **changed))
    expected = (
        "cat/3.png",
        "dog/5.png",
        "cat/2.png",
        "nowhere.png",
        "captions.csv:13",
        "7.png",
        "lora.targets: The LoRA target 'w_proj' matches no layer",
        "lora.r is 64, more than the 32",
        "variants.attention_targets: The LoRA target 'attn'",
        "generation.max_new_tokens is 600, but captioner has room for 512",
        "cnn.widths",
        "vit.translate",
    )
    for part in expected:
        assert any(part in problem for problem in checked.findings.problems), "\n".join(
            (part, *checked.findings.problems)
        )
    assert len(checked.findings.problems) == len(expected)
    for problem in checked.findings.problems:
        assert "\n" not in problem
        assert problem.endswith(".")
    assert f"{len(expected)} problems: put them right" in told(checked)


def test_a_broken_structure_hides_no_broken_picture_and_no_copy(folder: Path) -> None:
    draw_classes(folder / "animals", count=3)
    draw(folder / "animals" / "emu" / "alone.png", seed=9)
    draw(folder / "animals" / "cat" / "again.png", seed=9)
    (folder / "animals" / "dog" / "1.png").write_bytes(b"broken")
    (folder / "animals" / "empty").mkdir()
    checked = look(project(folder, IMAGES))
    alone, damaged, copies = checked.findings.problems
    assert "class 'emu' has 1 images" in alone
    assert "dog/1.png" in damaged
    assert "'cat/again.png' and 'emu/alone.png' are the same picture" in copies
    remarks = "\n".join(checked.findings.remarks)
    assert "without an image, which make no class: empty" in remarks


def test_a_folder_that_is_not_there_is_told_beside_the_rest(folder: Path) -> None:
    checked = look(project(folder, IMAGES, PHOTOS, CAPTIONER, cnn__widths="[8, 8, 8, 8, 8]"))
    problems = "\n".join(checked.findings.problems)
    for part in ("there is no folder", "captions.csv", "There is no folder", "captioner.model", "cnn.widths"):
        assert part in problems
    assert len(checked.findings.problems) == 5


def test_the_same_photo_for_tuning_and_evaluation_is_told(folder: Path) -> None:
    draw_photos(folder, count=8)
    for number in range(8):
        draw(folder / "photos" / f"{number}.png", seed=number // 7)
    checked = look(project(folder, PHOTOS))
    assert checked.findings.problems
    assert all("are the same picture" in problem for problem in checked.findings.problems)


def test_a_check_that_fails_unexpectedly_is_a_problem_and_the_others_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the disk\nis on fire.")

    monkeypatch.setattr(checking, "read_images", fail)
    monkeypatch.setattr(checking, "tokenizer_of", fail)
    checked = look(project(folder, PHOTOS, generation__max_new_tokens="999"))
    images, captions, folder_of_photos, length, prompts = checked.findings.problems
    assert images.startswith(
        "The check of the images could not be finished (RuntimeError: the disk is on fire)"
    )
    assert "the prompts" in prompts
    assert "captions.csv" in captions
    assert "There is no folder" in folder_of_photos
    assert "max_new_tokens is 999" in length


def test_what_is_not_on_this_machine_is_told_and_nothing_is_fetched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = '[images]\nkind = "cifar10"\nsource = "npm"\n'
    captioner = CAPTIONER.replace('"captioner"', '"nlpconnect/vit-gpt2-image-captioning"', 1).replace(
        "seed = 0", f'revision = "{"a" * 40}"\nseed = 0'
    )
    asked: list[str] = []
    monkeypatch.setattr(cifar10, "fetch", lambda *_: pytest.fail("something was fetched"))
    monkeypatch.setattr(
        presence, "missing", lambda *_: asked.append("once") or ["A model is nowhere: go online."]
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
    checked = look(project(folder, images, captioner, lora__targets='["c_attn", "nothing"]'))
    assert asked == ["once"]
    nowhere, target = checked.findings.problems
    assert nowhere == "A model is nowhere: go online."
    assert "'nothing' matches no layer" in target, "the architecture is known without a download"
    remarks = "\n".join(checked.findings.remarks)
    assert "CIFAR-10 is not on this machine yet" in remarks
    assert "The captioner is not on this machine yet" in remarks
    assert not (folder / ".cache" / "downloads").exists()


def test_torchvisions_data_sets_are_loaded_without_a_download(folder: Path) -> None:
    named = '[images]\nkind = "torchvision"\nname = "{}"\nsize = 16\ntest_share = 0.25\nseed = 0\n'
    raw = folder / "copy" / "FashionMNIST" / "raw"
    for part, count in (("train", 30), ("t10k", 20)):
        idx(raw / f"{part}-images-idx3-ubyte", np.random.default_rng(count).integers(0, 256, (count, 28, 28)))
        idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)
    checked = look(project(folder, named.format("FashionMNIST") + 'folder = "copy"\n'))
    assert checked.findings.problems == ()
    assert "FashionMNIST: 30 training images and 20 test images of 10" in "\n".join(checked.findings.read)
    absent = look(project(folder, named.format("MNIST")))
    assert absent.findings.problems == ()
    assert "MNIST is not on this machine yet" in "\n".join(absent.findings.remarks)
    unknown = look(project(folder, named.format("Nothing")))
    assert "torchvision has no data set 'Nothing'" in unknown.findings.problems[0]
    of_files = look(project(folder, named.format("ImageFolder")))
    assert "torchvision cannot load ImageFolder" in of_files.findings.problems[0]
    place = named.format("MNIST") + 'folder = "here"\n'
    (folder / "here").mkdir()
    assert "torchvision cannot load MNIST" in look(project(folder, place)).findings.problems[0]
    left = [path for path in (folder / ".cache").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} == {"hashes"}


def test_too_little_disk_is_a_problem_with_figures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free_is(monkeypatch, 10**5)
    (disk,) = look(project(folder)).findings.problems
    assert "Disk: what would run needs up to" in disk
    assert "100 kB are free" in disk


def test_what_is_fresh_would_not_run_and_needs_no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = project(folder)
    fresh, stale = (Freshness(state=state, why=(), key="") for state in ("fresh", "stale"))
    states = {stage: stale if stage == "generate" else fresh for stage in opened.stages}
    monkeypatch.setattr(checking.freshness, "states", lambda *_: states)
    checked = look(opened)
    assert checked.to_run == ("generate",)
    disk = next(sentence for sentence in checked.findings.read if sentence.startswith("Disk"))
    assert "(align 4.5 GB, lora 300 MB)" in disk, "what they leave in the cache may have to be made again"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, done.stdout


def test_the_command_prints_lines_and_exits_with_2_if_there_is_a_problem(folder: Path) -> None:
    project(folder)
    code, text = run("check", "--profile", "mine")
    assert code == 0
    assert "Read:\n  Drawn shapes: 400 training images" in text
    assert "Time not known" in text, "there is no result, of this profile or of offline"
    assert text.rstrip().endswith("python -m experiments run --profile mine")
    project(folder, IMAGES)
    code, text = run("check", "--profile", "mine")
    assert code == 2
    assert "Problems:\n  The folder animals is not as" in text
    assert text.rstrip().endswith("1 problem: put them right and check again.")


def test_the_command_prints_the_committed_times_for_a_profile_that_never_ran(folder: Path) -> None:
    copy_parts(folder, "profiles", "results")
    project(folder)
    code, text = run("check", "--profile", "mine")
    assert code == 0
    assert "Time not of this profile, but of the results of offline (50,000 training images" in text
    assert "Time not known" not in text


def test_a_new_profile_of_a_users_own_data_is_clean(folder: Path) -> None:
    draw_classes(folder / "animals", count=30)
    draw_photos(folder, count=10)
    start("own", folder, photos="photos", captions="captions.csv", images="animals")
    checked = look(open_project("own", folder))
    assert checked.findings.problems == ()
    remarks = "\n".join(checked.findings.remarks)
    assert "smaller than images.size" in remarks
    assert "cnn learns in 6 steps only" in remarks
    assert "The captioner is not on this machine" in remarks
