"""Failures planted in the code or the options of real stages, to be found in the results that they leave."""

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from experiments.audit.checks import checks
from experiments.audit.run import Run, run_of, there
from experiments.captioning import adapter
from experiments.classification import evaluation
from experiments.project import open_project
from experiments.statistics.intervals import wilson
from pipeline import store
from pipeline.runner import bring_up_to_date
from tests.support.copies import ROOT

STAGES = (
    "data_sets",
    "zero_shot",
    "vit",
    "cnn",
    "align",
    "lora",
    "generate",
    "captions",
    "variants",
    "evidence",
)


def training_the_base_as_well(*arguments: Any, _intact: Any = adapter.with_adapter, **options: Any) -> Any:
    """Put an adapter on a captioner, and leave a part of the base trainable."""
    captioner = _intact(*arguments, **options)
    for name, part in captioner.network.named_parameters():
        if name.endswith("ln_f.bias"):
            part.requires_grad_(True)
    return captioner


def one_too_many(right: int, n: int) -> Any:
    """Estimate a share as if one more had been right."""
    return wilson(min(right + 1, n), n)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The results of the smoke profile: of failing code, and of random models, which know nothing."""
    folder = tmp_path_factory.mktemp("planted")
    project = replace(open_project("smoke", ROOT), results=folder / "results", cache=folder / "cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "with_adapter", training_the_base_as_well)
        patch.setattr(evaluation, "wilson", one_too_many)
        bring_up_to_date(project, STAGES, Console(file=io.StringIO()))
    yield run_of({stage: store.read(project, stage).value for stage in STAGES})


def test_what_real_stages_got_wrong_is_found_in_their_results(run: Run) -> None:
    """The adapter of stage `lora` is put anew on the base that `align` left, which nothing has changed."""
    found = checks(run)
    assert (found["adapter_off"].count, found["adapter_off"].of) == (3, 4)
    assert found["other_accuracy"].where == ("zero_shot", "vit", "cnn")
    assert "zero_shot" in found["at_chance"].where
    assert found["cut_off"].count > 0
    for name in ("adapter_off", "other_accuracy", "at_chance"):
        assert not found[name].passed


def test_a_real_run_makes_every_test_that_its_profile_declares(run: Run) -> None:
    evidence = there(run.evidence)
    assert evidence.absent == ()
    ways = ("rank_1", "rank_4", "rank_32", "attention", "full")
    assert {f"forgotten_{key}" for key in ways} < set(evidence.tests)
