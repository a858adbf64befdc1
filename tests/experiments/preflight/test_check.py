import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pytest import MonkeyPatch as Patch
from rich.console import Console
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from experiments.__main__ import app
from experiments.datasets import cifar10
from experiments.evidence.declared import declared
from experiments.models.libraries import open_clip_library
from experiments.new_profile.start import start
from experiments.preflight import check as checking
from experiments.preflight import presence
from experiments.preflight.check import Checked, check
from experiments.project import open_project
from pipeline.freshness import Freshness
from pipeline.project import Project
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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    """The folder of a project, the current one as well, on a large disk, whatever that of this machine is."""
    monkeypatch.chdir(tmp_path)
    free_is(monkeypatch, 10**12)
    return tmp_path


@pytest.fixture(scope="session")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_captioner(tmp_path_factory.mktemp("models") / "captioner")


@pytest.fixture
def own(folder: Path, captioner: Path) -> Path:
    """A project's folder with images, photos and a captioner of a user's own."""
    draw_classes(folder / "animals", count=12)
    draw_photos(folder, count=10)
    (folder / "captioner").symlink_to(captioner)
    return folder


def free_is(monkeypatch: Patch, free: int) -> None:
    monkeypatch.setattr(checking.shutil, "disk_usage", lambda path: type("Usage", (), {"free": free}))


def look(opened: Project) -> Checked:
    return check(opened, Console(file=io.StringIO()))


def assert_each_is_in_its_own(parts: tuple[str, ...], sentences: tuple[str, ...]) -> None:
    text = "\n".join(sentences)
    for part in parts:
        assert part in text
    assert len(sentences) == len(parts), text
    for sentence in sentences:
        assert "\n" not in sentence
        assert sentence.endswith(".")


def test_data_and_a_captioner_of_a_users_own_are_clean_and_counted_and_nothing_is_left_behind(own: Path):
    opened = project(own, IMAGES, PHOTOS, CAPTIONER)
    before = set(own.rglob("*"))
    checked = look(opened)
    left = set(own.rglob("*")) - before
    assert all(".cache" in path.parts for path in left)
    # What the files' hashes were is remembered, as by any question about freshness.
    assert {path.parent.name for path in left if path.is_file()} <= {"hashes"}
    assert checked.findings.problems == ()
    assert checked.to_run == tuple(opened.stages)
    read = "\n".join(checked.findings.read)
    assert "18 training images and 6 test images of 2 classes (cat, dog)" in read
    assert "10 photos with 10 captions in captions.csv, of which 4 are drawn to tune on and 4 to" in read
    assert "The captioner captioner: 75,072 parameters" in read
    assert "Disk: " in read


def test_problems_of_every_kind_are_all_named_at_once(own: Path):
    (own / "animals" / "cat" / "3.png").write_bytes(b"not a picture")
    (own / "animals" / "dog" / "5.png").write_bytes(b"")
    draw(own / "animals" / "dog" / "copy.png", seed=2)  # the same as cat/2.png
    captions = own / "captions.csv"
    captions.write_text(captions.read_text() + "\nnowhere.png,a thing that is not there\n1.png,\n")
    (own / "photos" / "7.png").write_bytes(b"broken")
    changed = {"lora__targets": '["c_attn", "w_proj"]', "lora__r": "64"}
    changed |= {"variants__attention_targets": '["attn"]', "generation__max_new_tokens": "600"}
    found = look(project(own, IMAGES, PHOTOS, CAPTIONER, **changed)).findings
    of_data = ("cat/3.png", "dog/5.png", "cat/2.png", "captions.csv:13", "7.png")
    of_options = (
        "lora.targets: The LoRA target 'w_proj' matches no layer",
        "lora.r is 64, more than the 32",
        "variants.attention_targets: The LoRA target 'attn'",
        "generation.max_new_tokens is 600, but captioner has room for 512",
    )
    assert_each_is_in_its_own((*of_data, *of_options), found.problems)
    assert "none of them drawn: 1, such as 'nowhere.png'" in "\n".join(found.remarks)


def test_captions_without_any_word_are_a_problem_and_some_of_them_a_remark(own: Path):
    def found(*texts: str) -> tuple[str, str]:
        rows = [f"{number}.png,{text}" for number, text in enumerate(texts)]
        (own / "captions.csv").write_text("\n".join(["image,caption", *rows]))
        findings = look(project(own, PHOTOS, photos__tuning="5", photos__evaluation="5")).findings
        return "\n".join(findings.remarks), "\n".join(findings.problems)

    signs = [f"🐕{'!' * number}" for number in range(10)]
    _, problems = found(*signs)
    assert problems.startswith("No caption has a word (the first is '🐕")
    assert problems.endswith("would be 0: write captions in words.")
    remarks, problems = found(*signs[:2], *("犬" * number for number in range(1, 9)))
    assert "Captions without a word: 2 of 10, such as '🐕" in remarks
    assert problems == ""
    assert "Captions without a word" not in found(*(f"{number} dogs" for number in range(10)))[0]


def spoil(weights: Path) -> None:
    state = load_file(weights)
    next(tensor for tensor in state.values() if tensor.is_floating_point()).view(-1)[0] = float("nan")
    save_file(state, weights, metadata={"format": "pt"})


def test_weights_of_ones_own_that_no_stage_could_use_are_told_before_a_run(own: Path, captioner: Path):
    (own / "captioner").unlink()
    shutil.copytree(captioner, own / "captioner")
    sizes = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    texts = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    architecture = {"embed_dim": 16, "vision_cfg": sizes, "text_cfg": texts}
    (own / "tower").mkdir()
    (own / "tower" / "open_clip_config.json").write_text(json.dumps({"model_cfg": architecture}))
    weights = {
        "captioner": own / "captioner" / "model.safetensors",
        "tower": own / "tower" / "open_clip_model.safetensors",
    }
    save_file(open_clip_library().CLIP(**architecture).state_dict(), weights["tower"])
    tower = '[zero_shot.tower]\nkind = "open_clip"\nmodel = "local-dir:tower"\n'
    opened = project(own, IMAGES, PHOTOS, CAPTIONER, tower)
    assert look(opened).findings.problems == ()
    config = own / "tower" / "open_clip_config.json"
    whole = config.read_text()
    for key, wrong in (("layers", 10**9), ("image_size", 10**6)):
        too_many = architecture | {"vision_cfg": sizes | {key: wrong}}
        config.write_text(json.dumps({"model_cfg": too_many}))
        said = f"open_clip_config.json of local-dir:tower says that {key} is {wrong:,}"
        assert_each_is_in_its_own((said,), look(opened).findings.problems)
        told = presence.missing(opened.profile, own, opened.downloads, ["zero_shot"])
        assert told and told[0].startswith(said)
    config.write_text(f'{{"model_cfg": {"[" * 100_000}')
    said = "open_clip_config.json of local-dir:tower is nested too deep to be read: get it anew."
    assert said in look(opened).findings.problems
    assert presence.missing(opened.profile, own, opened.downloads, ["zero_shot"]) == [said]
    config.write_text(whole)
    for file in weights.values():
        spoil(file)
    damaged = ("open_clip_model.safetensors is damaged", "The checkpoint of captioner is damaged")
    assert_each_is_in_its_own(damaged, look(opened).findings.problems)


def test_a_captioner_of_impossible_sizes_is_one_problem_and_none_of_its_files_is_loaded(
    own: Path, captioner: Path, monkeypatch: Patch
):
    (own / "captioner").unlink()
    shutil.copytree(captioner, own / "captioner")
    config = own / "captioner" / "config.json"
    content = json.loads(config.read_text())
    content["decoder"]["n_layer"] = 10**9
    config.write_text(json.dumps(content))
    for name in ("shape_of", "token_counts", "load_encoder_decoder"):
        monkeypatch.setattr(checking, name, lambda *_: pytest.fail("it was loaded"))
    said = "config.json of captioner says that n_layer is 1,000,000,000, but no model has more than 1,000"
    assert_each_is_in_its_own((said,), look(project(own, PHOTOS, CAPTIONER)).findings.problems)


def test_a_captioner_that_a_hub_cannot_have_is_one_problem(own: Path):
    moving = CAPTIONER.replace('"captioner"', '"a/b"\nrevision = "main"', 1)
    problems = look(project(own, PHOTOS, moving)).findings.problems
    assert_each_is_in_its_own(("captioner.revision is 'main': write all 40",), problems)


def test_a_broken_structure_hides_no_broken_picture_and_no_copy(folder: Path):
    draw_classes(folder / "animals", count=3)
    draw(folder / "animals" / "emu" / "alone.png", seed=9)
    draw(folder / "animals" / "cat" / "again.png", seed=9)
    (folder / "animals" / "dog" / "1.png").write_bytes(b"broken")
    (folder / "animals" / "empty").mkdir()
    found = look(project(folder, IMAGES)).findings
    copies = "'cat/again.png' and 'emu/alone.png' are the same picture"
    assert_each_is_in_its_own(("class 'emu' has 1 images", "dog/1.png", copies), found.problems)
    assert "without an image, which make no class (1, such as 'empty')" in "\n".join(found.remarks)


def test_a_check_that_fails_unexpectedly_is_a_problem_and_the_others_go_on(folder: Path, monkeypatch: Patch):
    def fail(*_: object) -> None:
        raise RuntimeError("the disk\nis on fire.")

    monkeypatch.setattr(checking, "read_images", fail)
    monkeypatch.setattr(checking, "findings_of_prompts", fail)
    parts = (
        "The check of the images could not be finished (RuntimeError: the disk is on fire)",
        "captions.csv",
        "There is no folder",
        "max_new_tokens is 999",
        "The check of the prompts could not be finished",
    )
    checked = look(project(folder, PHOTOS, generation__max_new_tokens="999"))
    assert_each_is_in_its_own(parts, checked.findings.problems)


def test_what_is_not_on_this_machine_is_a_remark_and_nothing_is_fetched(folder: Path, monkeypatch: Patch):
    images = '[images]\nkind = "cifar10"\nsource = "npm"\n'
    of_the_hub = f'"nlpconnect/vit-gpt2-image-captioning"\nrevision = "{"a" * 40}"'
    captioner = CAPTIONER.replace('"captioner"', of_the_hub, 1)
    monkeypatch.setattr(cifar10, "fetch", lambda *_: pytest.fail("something was fetched"))
    monkeypatch.setattr(presence, "missing", lambda *_: ["A model is nowhere: go online."])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
    checked = look(project(folder, images, captioner, lora__targets='["c_attn", "nothing"]'))
    nowhere, target = checked.findings.problems
    assert nowhere == "A model is nowhere: go online."
    assert "'nothing' matches no layer" in target, "the architecture is known without a download"
    remarks = "\n".join(checked.findings.remarks)
    assert "CIFAR-10 is not on this machine yet" in remarks
    assert not (folder / ".cache" / "downloads").exists()


def test_torchvisions_data_sets_are_loaded_without_a_download(folder: Path):
    def findings(name: str, place: str = "") -> tuple[str, ...]:
        section = f'[images]\nkind = "torchvision"\nname = "{name}"\nsize = 16\ntest_share = 0.25\nseed = 0\n'
        found = look(project(folder, section + place)).findings
        return tuple("\n".join(part) for part in (found.read, found.remarks, found.problems))

    raw = folder / "copy" / "FashionMNIST" / "raw"
    for part, count in (("train", 30), ("t10k", 20)):
        idx(raw / f"{part}-images-idx3-ubyte", np.random.default_rng(count).integers(0, 256, (count, 28, 28)))
        idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)
    read, _, problems = findings("FashionMNIST", 'folder = "copy"\n')
    assert "FashionMNIST: 30 training images and 20 test images of 10" in read
    assert problems == ""
    _, remarks, problems = findings("MNIST")
    assert "MNIST is not on this machine yet" in remarks
    assert problems == ""
    assert "torchvision has no data set 'Nothing'" in findings("Nothing")[2]
    assert "torchvision cannot load ImageFolder" in findings("ImageFolder")[2]
    (folder / "here").mkdir()
    assert "torchvision cannot load MNIST" in findings("MNIST", 'folder = "here"\n')[2]
    left = [path for path in (folder / ".cache").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} <= {"hashes"}


def test_resamples_too_few_for_the_declared_tests_are_a_problem_unless_figures_mean_nothing(folder: Path):
    draw_classes(folder / "animals")
    few = {"evidence__exploratory": "false", "evidence__significance": "0.04"}
    section = project(folder, IMAGES, **few).profile.family
    least = 2 * len(declared(section)) * 25
    for resamples, found in ((500, True), (least - 1, True), (least, False)):
        problems = look(project(folder, IMAGES, **few, evidence__resamples=str(resamples))).findings.problems
        assert any(f"set it to {least} or more" in problem for problem in problems) == found
    assert not any("resamples" in problem for problem in look(project(folder, IMAGES)).findings.problems)


def test_room_is_asked_for_what_would_run_and_what_that_needs(folder: Path, monkeypatch: Patch):
    opened = project(folder)
    fresh, stale = (Freshness(state=state, why=(), key="") for state in ("fresh", "stale"))
    states = {stage: stale if stage == "generate" else fresh for stage in opened.stages}
    monkeypatch.setattr(checking.freshness, "states", lambda *_: states)
    free_is(monkeypatch, 10**5)
    checked = look(opened)
    assert checked.to_run == ("generate",)
    (disk,) = checked.findings.problems
    assert "Disk: what would run needs up to" in disk
    assert "(align 4.5 GB, lora 300 MB)" in disk, "what they leave in the cache may have to be made again"
    assert "100 kB are free" in disk


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Cat", "the folders 'Cat' and 'cat' differ only by case"),
        ("cat\u200b", r"the folders 'cat' and 'cat\u200b' differ only by case"),
        ("_", "the name of class '_' holds nothing that can be seen: rename its folder"),
    ],
)
def test_the_check_refuses_a_class_that_looks_like_another_or_like_nothing(own: Path, name: str, told: str):
    project(own, IMAGES)
    for number in range(12):
        draw(own / "animals" / name / f"{number}.png", 9000 + number)
    found = CliRunner().invoke(app, ["check", "--profile", "mine"])
    assert found.exit_code == 2
    assert told in " ".join(f"{found.stdout} {found.stderr}".split())


def test_the_command_prints_lines_and_exits_with_2_if_there_is_a_problem(folder: Path):
    project(folder)
    clean = CliRunner().invoke(app, ["check", "--profile", "mine"])
    assert clean.exit_code == 0
    assert "Read:\n  Drawn shapes: 400 training images" in clean.stdout
    assert "Time not known" in clean.stdout, "there is no result, of this profile or of offline"
    assert clean.stdout.endswith("No problem was found: python -m experiments run --profile mine\n")
    project(folder, IMAGES)
    broken = CliRunner().invoke(app, ["check", "--profile", "mine"])
    assert broken.exit_code == 2
    assert "Problems:\n  The folder animals is not as" in broken.stdout
    assert broken.stdout.endswith("1 problem: put them right and check again.\n")


def test_a_new_profile_of_a_users_own_data_is_clean(own: Path):
    start("own", own, photos="photos", captions="captions.csv", images="animals")
    found = look(open_project("own", own)).findings
    assert found.problems == ()
    remarks = "\n".join(found.remarks)
    assert "smaller than images.size" in remarks
    assert "cnn learns in 6 steps only" in remarks
