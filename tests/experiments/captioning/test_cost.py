import signal
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.captioning import cost
from experiments.captioning.captioners import saved as models
from experiments.captioning.cost import STEPS, Trial, measured, trial_of
from experiments.captioning.tuning import Pairs, Recipe
from experiments.captioning.ways import Way
from experiments.config.captioner import RandomCaptionerConfig
from experiments.context import Progress
from experiments.models import peak_memory
from pipeline.errors import UserError
from tests.support.captioners import CAPTIONS, odd_photos, random_captioner

MIB = 2**20
on_linux = pytest.mark.skipif(not peak_memory._reset(), reason="this system keeps no high-water mark")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """A trial of an adapter of rank 4 on a captioner with random weights."""
    folder, captioner = tmp_path_factory.mktemp("aligned"), random_captioner()
    config = RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1)
    models.save(config, captioner, folder, folder)
    way = Way("rank_4", "LoRA, r = 4", 4, ("c_attn", "c_proj"), 8, 0.0, Recipe(1, 50, 2, 1e-3))
    return trial_of(folder, way, Pairs(captioner.encode(odd_photos()).numpy(), CAPTIONS))


@on_linux
def test_what_else_the_run_holds_does_not_move_what_tuning_costs_and_its_size_does(trial: Trial) -> None:
    alone = measured(trial)
    planted = np.ones(700 * MIB, dtype=np.uint8)
    beside, larger = measured(trial), measured(replace(trial, way=replace(trial.way, rank=4096)))
    del planted
    assert alone.peak_bytes and beside.peak_bytes and larger.peak_bytes
    assert abs(beside.peak_bytes - alone.peak_bytes) < 50 * MIB
    assert larger.peak_bytes > max(alone.peak_bytes, beside.peak_bytes) + 50 * MIB
    assert min(alone.seconds_per_step, beside.seconds_per_step, larger.seconds_per_step) > 0


def test_however_few_photos_there_are_as_many_steps_are_timed(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[int] = []

    def tune(captioner: Any, pairs: Pairs, recipe: Recipe, *, progress: Progress) -> None:
        for epoch in range(recipe.epochs):
            progress(epoch + 1, recipe.epochs, "")
            took.append(trial.batches)

    monkeypatch.setattr(cost, "tune", tune)
    cost._cost(trial)
    assert (trial.batches, STEPS) == (2, 5)
    assert took == [2, 2, 2, 2], "the first of them are not timed"


def test_a_trial_that_ends_without_an_answer_is_one_sentence(trial: Trial) -> None:
    deadly: Any = Deadly()
    with pytest.raises(UserError, match=r"r = 4\) ended with code -9: .* a smaller batch_size"):
        measured(replace(trial, captioner=deadly))


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return signal.raise_signal, (signal.SIGKILL,)
