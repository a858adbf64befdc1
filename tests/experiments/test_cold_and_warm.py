"""What is kept under .cache/ changes no number: changed code gives with it what it gives without it."""

import shutil
from pathlib import Path

import pytest

from experiments.project import open_project
from pipeline import store
from pipeline.envelope import digest
from tests.support.copies import copy_parts
from tests.support.small_profiles import IMAGES, draw_classes, project
from tests.support.warm import run_warm

STAGES = ("zero_shot", "cnn", "align", "lora", "generate", "variants")
PLANTED = {
    # The features that a captioner makes of photos.
    "captioning/captioners/encoder_decoder": (
        "_encode = EncoderDecoderCaptioner.encode\n"
        "EncoderDecoderCaptioner.encode = lambda self, photos: 0.5 * _encode(self, photos)\n"
    ),
    # The embeddings of images for zero-shot classification.
    "classification/towers": (
        "_encode = DualEncoder.encode_image\n"
        "DualEncoder.encode_image = lambda self, *given: _encode(self, *given).flip(-1)\n"
    ),
    # The pictures that networks trained from scratch see.
    "datasets/preprocess": (
        "_square = square\n\n\ndef square(pixels, size):\n    return 255 - _square(pixels, size)\n"
    ),
    # Every training: checkpoints, the adapter, and the parts that `variants` keeps.
    "models/schedule": (
        "_factor = learning_rate_factor\n\n\n"
        "def learning_rate_factor(*given, **named):\n    return 0.5 * _factor(*given, **named)\n"
    ),
}
"""Code to be added to modules: each changes what is kept of another kind."""

Values = dict[str, str]
"""The hash of each stage's value without what computing it cost."""


def computed(root: Path) -> Values:
    done = run_warm(root, "experiments", "run", *STAGES, "--profile", "mine")
    assert done.returncode == 0, done.stderr
    opened = open_project("mine", root)
    values = {name: store.read(opened, name).value for name in STAGES}
    return {name: digest(value, value.COSTS) for name, value in values.items()}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Values, Values, Values]:
    """What was computed before the change, then after it beside what was kept, and with nothing kept."""
    before, warm, cold = (tmp_path_factory.mktemp("three") / name for name in ("before", "warm", "cold"))
    before.mkdir()
    copy_parts(before, "pipeline", "experiments", "profiles")
    draw_classes(before / "animals", count=8)
    project(before, IMAGES, variants__ranks="[1]", lora__epochs="1", captioner__held_out="4")
    values = computed(before)
    kept = {path.parent.name for path in (before / ".cache").glob("*/*/*")}
    assert kept >= {"captioner_features", "embeddings", "cnn", "lora", "variants"}
    assert any((before / ".cache" / "prepared").iterdir())
    for name, code in PLANTED.items():
        path = before / "experiments" / f"{name}.py"
        path.write_text(f"{path.read_text()}\n\n{code}")
    shutil.copytree(before, warm)
    shutil.copytree(before, cold, ignore=shutil.ignore_patterns(".cache"))
    return values, computed(warm), computed(cold)


@pytest.mark.parametrize("stage", STAGES)
def test_changed_code_gives_the_same_with_what_was_kept_as_without(
    three: tuple[Values, Values, Values], stage: str
) -> None:
    before, warm, cold = three
    assert warm[stage] == cold[stage]
    assert stage == "align" or warm[stage] != before[stage], "the change must be one of numbers"
