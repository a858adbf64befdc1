"""The assignment at its own size: what is made is what its profile names, and what it takes is kept."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import assignment_inputs as inputs
from benchmarks import assignment_size as size
from benchmarks.assignment_size import Step, Steps
from experiments import profile
from experiments.classification.pretrained import pretrained_tower
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.photos import Flickr30k
from experiments.config.zero_shot import OpenClipTower
from experiments.datasets.flickr30k import load_flickr30k
from experiments.models.libraries import open_clip_library, prepare_transformers
from experiments.project import open_project
from experiments.stages import STAGES
from tests.support.captioners import GREEDY, load_captioner
from tests.support.copies import ROOT

ASSIGNMENT = (ROOT / "profiles" / "assignment.toml").read_text(encoding="utf-8")


def loaded(folder: Path, *, images: int, real: bool) -> profile.Profile:
    (folder / "profiles").mkdir()
    text = size.profile(ASSIGNMENT, images, real)
    (folder / "profiles" / f"{size.PROFILE}.toml").write_text(text, encoding="utf-8")
    return profile.load(size.PROFILE, folder)


def differing(one: Mapping[str, Any], other: Mapping[str, Any], place: str = "") -> set[str]:
    """Return the places of nested options at which two profiles are not the same."""
    found = set()
    for key in {*one, *other}:
        pair = one.get(key), other.get(key)
        if all(isinstance(each, dict) for each in pair):
            found |= differing(*pair, f"{place}{key}.")  # pyright: ignore[reportArgumentType]
        elif pair[0] != pair[1]:
            found.add(f"{place}{key}")
    return found


PLACES = {"name", "description", "photos.repository", "captioner.model", "captioner.revision"}
PLACES |= {"zero_shot.tower.model", "zero_shot.tower.pretrained"}
GENERATED = {f"images.{key}" for key in ("kind", "source", "seed", "train", "test", "size", "validation")}


@pytest.mark.parametrize(
    ("images", "real", "others"),
    [
        (10_000, True, set()),
        (10_000, False, GENERATED - {"images.validation"}),
        (200, False, GENERATED | {"captioner.held_out"}),
    ],
)
def test_the_profile_is_the_assignments_but_for_where_things_lie_and_how_many_images(
    tmp_path: Path, images: int, real: bool, others: set[str]
) -> None:
    ours, theirs = loaded(tmp_path, images=images, real=real), profile.load("assignment", ROOT)
    assert differing(ours.model_dump(), theirs.model_dump()) == PLACES | others


def test_a_line_that_the_profile_has_no_more_is_named() -> None:
    lacking = ASSIGNMENT.replace("held_out = 1000\n", "")
    with pytest.raises(SystemExit, match=r"no held_out in \[captioner\]"):
        size.profile(lacking, 10_000, True)


def test_what_is_made_is_what_the_assignment_names() -> None:
    wanted = profile.load("assignment", ROOT)
    assert isinstance(wanted.photos, Flickr30k) and isinstance(wanted.captioner, EncoderDecoderConfig)
    assert wanted.zero_shot and isinstance(wanted.zero_shot.tower, OpenClipTower)
    named = wanted.captioner.model, wanted.zero_shot.tower.model
    assert named == (f"nlpconnect/{inputs.CAPTIONER}", inputs.TOWER)
    assert (wanted.photos.tuning, wanted.photos.evaluation) == (inputs.TUNING, inputs.EVALUATION)
    config = inputs.architecture()
    from transformers import VisionEncoderDecoderModel

    with torch.device("meta"):
        network = VisionEncoderDecoderModel(config)
    assert sum(part.numel() for part in network.parameters()) == 239_195_904


def test_the_captioner_loads_and_writes_words_without_an_end(tmp_path: Path) -> None:
    prepare_transformers()
    from transformers import GPT2Config, VisionEncoderDecoderConfig, ViTConfig

    small: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    decoder = GPT2Config(
        vocab_size=600, n_embd=32, n_layer=2, n_head=2, add_cross_attention=True, initializer_range=0.4
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(image_size=32, patch_size=8, **small), decoder
    )
    inputs.whole(tmp_path / "captioner", lambda folder: inputs.save_captioner(folder, config))
    captioner = load_captioner(tmp_path / "captioner")
    assert len(captioner.tokenizer) == 600
    photos = [np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 255, np.uint8)]
    written = captioner.generate(captioner.encode(photos), GREEDY)
    assert all(caption.text.strip() and not caption.ended for caption in written)


def test_a_word_of_the_captions_is_one_token_and_what_was_merged_reads_as_it_was_written() -> None:
    tokenizer = inputs.tokenizer(["red", "disc"], 256 + 7 + 1)
    tokens = tokenizer(" red disc")["input_ids"]
    assert len(tokens) == 2 and tokenizer.decode(tokens) == " red disc"


def test_the_dual_encoder_is_a_folder_that_loads_as_a_model_of_ones_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    described = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text}
    (tmp_path / "tiny-of-this-test.json").write_text(json.dumps(described))
    open_clip_library().add_model_config(tmp_path / "tiny-of-this-test.json")
    inputs.whole(tmp_path / "tower", lambda folder: inputs.save_tower(folder, "tiny-of-this-test"))
    tower = pretrained_tower(OpenClipTower(kind="open_clip", model=f"local-dir:{tmp_path / 'tower'}"))
    assert tower.encode_image(torch.zeros((2, 3, 32, 32)), "fp32").shape == (2, 32)


def test_the_photos_are_read_as_those_of_the_assignment(tmp_path: Path) -> None:
    inputs.whole(tmp_path / inputs.PHOTOS, lambda folder: inputs.save_photos(folder, 24, 40))
    (tmp_path / "project").mkdir()
    wanted = loaded(tmp_path / "project", images=200, real=False).photos
    assert isinstance(wanted, Flickr30k)
    photos = load_flickr30k(wanted, tmp_path / "project", print)
    assert (len(photos.tuning), len(photos.evaluation)) == (50, 60)
    assert {len(photo.references) for photo in photos.tuning} == {1}
    assert {len(photo.references) for photo in photos.evaluation} == {2}
    assert {photo.pixels.shape for photo in photos.evaluation} == {(24, 40, 3)}


def test_a_folder_that_is_half_made_is_not_there_and_a_whole_one_is_left_alone(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError

    with pytest.raises(OSError):
        inputs.whole(tmp_path / "made", failing)
    assert not (tmp_path / "made").exists()
    inputs.whole(tmp_path / "made", lambda folder: (folder / "rest").touch())
    inputs.whole(tmp_path / "made", failing)
    assert (tmp_path / "made" / "rest").exists()


def test_a_steps_memory_is_its_processs_and_its_seconds_add_up_until_it_ends(tmp_path: Path) -> None:
    steps = Steps.kept(tmp_path / "steps.json")
    steps.taken["large"] = Step(seconds=1_000, memory=7)
    steps.take("large", ROOT, "timeit", "-n1", "-r1", "b'x' * 300_000_000")
    found = Steps.kept(tmp_path / "steps.json").taken["large"]
    assert found.ended and found.seconds > 1_000
    assert found.memory is not None and 300_000_000 < found.memory < 500_000_000
    assert found.gpu_memory is None
    steps.take("large", ROOT, "timeit", "-n1", "-r1", "pass")
    assert steps.taken["large"].seconds < 1_000


def test_a_step_that_fails_is_kept_as_such_and_says_so(tmp_path: Path) -> None:
    steps = Steps.kept(tmp_path / "steps.json")
    with pytest.raises(SystemExit, match="lora ended with exit code 2"):
        steps.take("lora", ROOT, "timeit", "--no-such-option")
    assert not Steps.kept(tmp_path / "steps.json").taken["lora"].ended
    assert any("| lora (not at its end) |" in line for line in size.table(steps.taken))


def test_the_table_has_all_steps_beside_the_brief_and_their_sum() -> None:
    zero_shot = Step(seconds=10, memory=1_500_000_000, gpu_memory=250_000_000, ended=True)
    assert list(size.table({"zero_shot": zero_shot, "cnn": Step(seconds=90, ended=True)}))[2:] == [
        "| zero_shot | 10 | 1.50 | 0.25 | 10,000 images in 23 s |",
        "| cnn | 90 | – | – |  |",
        "| all | 100 | | | |",
    ]


def test_the_rates_are_those_of_the_results_that_are_there(tmp_path: Path) -> None:
    offline = open_project("offline", ROOT)
    assert not list(size.rates(replace(offline, results=tmp_path)))
    zero_shot, lora, memory = size.rates(offline)
    assert re.search(r" [\d,.]+ images/s in (fp32|bf16)", zero_shot)
    assert re.search(r" [\d,.]+ s for \d+ epochs over 50 photos$", lora)
    assert re.search(r" \d\.\d\d GB ", memory)


def test_the_copy_forgets_what_the_project_has_no_more_and_keeps_what_a_run_left(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in size.FOLDERS:
        (source / name).mkdir(parents=True)
    for file in (source / "pipeline" / "old.py", source / "report.qmd"):
        file.touch()
    size.copy(source, target)
    (target / "results").mkdir()
    (source / "pipeline" / "old.py").rename(source / "pipeline" / "new.py")
    size.copy(source, target)
    assert [path.name for path in (target / "pipeline").iterdir()] == ["new.py"]
    assert (target / "results").is_dir() and (target / "report.qmd").is_file()


def test_a_folder_within_the_project_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="name a folder elsewhere"):
        size.main(tmp_path / "here", 10)
    assert not (tmp_path / "here").exists()


def test_every_stage_that_is_not_fresh_runs_in_order_then_every_page_and_others_keep_their_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def start(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        started.append(command[command.index("benchmarks.measured") + 2 :])
        return subprocess.CompletedProcess(command, 0)

    def state(project: Any, stage: str) -> SimpleNamespace:
        return SimpleNamespace(state="fresh" if stage == "cnn" else "missing")

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(size.subprocess, "run", start)
    monkeypatch.setattr(size.freshness, "of", state)
    for name in (inputs.CAPTIONER, inputs.TOWER, inputs.PHOTOS):
        (tmp_path / name).mkdir()
    Steps(tmp_path / "steps.json", {"cnn": Step(seconds=1_234, ended=True)}).keep()
    size.main(tmp_path, 100)
    ran = [command[2] for command in started if command[:2] == ["experiments", "run"]]
    assert ran == [stage for stage in STAGES if stage != "cnn"]
    assert started[-1] == ["reporting.render", "--profile", size.PROFILE]
    said = capsys.readouterr().out
    assert "| cnn | 1,234 |" in said and "| pages | 0 |" in said
