from pathlib import Path

import pytest
import torch

from experiments import profile
from experiments.checking.clock import one_core, speed_up
from experiments.checking.counts import Counts
from experiments.checking.times import (
    CaptionerPace,
    ClassifierPace,
    Paces,
    ZeroShotPace,
    sped_up,
    stage_times,
)

ROOT = Path(__file__).resolve().parents[3]
OFFLINE, ASSIGNMENT = (profile.load(name, ROOT) for name in ("offline", "assignment"))
COUNTS = Counts(
    train=1000,
    test=200,
    classes=10,
    side=32,
    stored=False,
    unlabelled=500,
    aligned=300,
    held_out=20,
    tuning=25,
    evaluation=30,
)
NOTHING = CaptionerPace(build=0.0, load=0.0, encode=0.0, step=0.0, token=0.0)
PACES = Paces(read=7.0, zero_shot=None, cnn=None, vit=None, captioner=None)


def seconds(paces: Paces, length: int = 10, of: profile.Profile = OFFLINE) -> dict[str, float | None]:
    return {each.stage: each.seconds for each in stage_times(of, COUNTS, paces, length)}


def captioner(length: int = 10, of: profile.Profile = OFFLINE, **pace: float) -> dict[str, float | None]:
    """Return the times of the captioner's stages where everything but `pace` takes no time."""
    made_up = CaptionerPace(**{**vars(NOTHING), **pace})
    found = seconds(Paces(read=0.0, zero_shot=None, cnn=None, vit=None, captioner=made_up), length, of)
    return {stage: found[stage] for stage in ("align", "lora", "generate", "variants")}


def test_what_was_not_rehearsed_is_not_estimated_but_said_to_be_work() -> None:
    times = stage_times(OFFLINE, COUNTS, PACES, 10)
    assert [each.stage for each in times if each.seconds is None] == [
        "zero_shot", "cnn", "vit", "align", "lora", "generate", "variants",
    ]  # fmt: skip
    assert times[0].seconds == 7.0
    assert all(each.work for each in times)


def test_training_counts_every_image_of_every_epoch_and_the_test_once() -> None:
    pace = ClassifierPace(train=0.01, test=0.1)
    found = seconds(Paces(read=0.0, zero_shot=None, cnn=pace, vit=pace, captioner=None))
    assert found["cnn"] == pytest.approx(6 * 1000 * 0.01 + 200 * 0.1)
    assert found["vit"] == pytest.approx(8 * 1000 * 0.01 + 200 * 0.1)


def test_zero_shot_counts_unlabelled_and_test_images_and_every_class() -> None:
    pace = ZeroShotPace(load=5.0, image=0.02, describe=1.5)
    found = seconds(Paces(read=0.0, zero_shot=pace, cnn=None, vit=None, captioner=None))
    assert found["zero_shot"] == pytest.approx(5.0 + 700 * 0.02 + 10 * 1.5)


def test_a_step_of_tuning_counts_for_the_adapter_and_for_every_variant() -> None:
    found = captioner(step=2.0)
    steps = 8 * 3  # 25 photos in batches of 10, 8 times
    assert found == {
        "align": 0.0,
        "lora": steps * 2.0,
        "generate": 0.0,
        "variants": steps * 2.0 * (4 + 1.5),  # ranks 1, 4 and 8, attention alone, and full fine-tuning
    }


def test_a_rank_that_is_the_profiles_own_is_not_tuned_again() -> None:
    variants = OFFLINE.variants.model_copy(update={"ranks": (1, 32, 1)})
    own = OFFLINE.model_copy(update={"variants": variants})
    assert captioner(step=1.0, of=own)["variants"] == 24 * (2 + 1.5)


def test_a_token_counts_for_every_caption_that_is_written() -> None:
    found = captioner(length=10, token=1.0)
    assert found["align"] == 20 * 10
    assert found["lora"] == 0
    assert found["generate"] == 2 * 30 * 10
    # Ranks 1, 4, 8 and 32 and attention alone, with the adapter on and off; full fine-tuning once.
    assert found["variants"] == (5 + 1) * 30 * 10 + (2 * 5 + 1) * 20 * 10


def test_no_caption_is_longer_than_the_limit() -> None:
    assert captioner(length=1000, token=1.0)["generate"] == 2 * 30 * OFFLINE.generation.max_new_tokens
    assert captioner(length=1000, token=1.0)["align"] == 20 * 32


def test_aligning_counts_the_photos_and_the_steps_of_both_trainings_of_a_prefix_captioner_alone() -> None:
    assert captioner(encode=1.0)["align"] == 300 + 20
    assert captioner(warm_up=1.0)["align"] == 6 * 2  # 300 photos in batches of 250, 6 times
    assert captioner(joint=1.0)["align"] == 120
    assert captioner(encode=1.0, warm_up=1.0, joint=1.0, of=ASSIGNMENT)["align"] == 20


def test_loading_counts_for_every_network_that_is_loaded() -> None:
    assert captioner(load=1.0) == {"align": 1.0, "lora": 1.0, "generate": 1.0, "variants": 1.0 + 6}
    assert captioner(build=1.0) == {"align": 1.0, "lora": 0.0, "generate": 0.0, "variants": 0.0}


def test_more_threads_make_computing_faster_but_not_loading() -> None:
    pace = CaptionerPace(build=8.0, load=4.0, encode=2.0, step=2.0, token=2.0, warm_up=2.0, joint=2.0)
    assert sped_up(pace, 2.0) == CaptionerPace(8.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def test_a_rehearsal_runs_on_one_core_and_leaves_the_threads_as_they_were() -> None:
    threads = torch.get_num_threads()
    with one_core():
        assert torch.get_num_threads() == 1 or torch.cuda.is_available()
    assert torch.get_num_threads() == threads
    assert speed_up(1) == 1.0
    assert torch.cuda.is_available() or 1 < speed_up(2) < speed_up(4) < 4
