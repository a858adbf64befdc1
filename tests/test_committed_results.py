"""The results in the repository: made by committed code, and what their own predictions say.

Whether they are fresh is not asked here, so that an edit under way leaves the suite green:
`python -m experiments status --strict` asks it.
"""

import hashlib
from typing import Any

import numpy as np
import pytest

from experiments.classification.evaluation import predictions_of, score
from experiments.datasets.cifar10_files import CIFAR10
from experiments.evidence.evidence import evidence
from experiments.project import open_project
from experiments.results.classification import Classification
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from pipeline import store
from tests.support.contexts import SILENT
from tests.support.copies import ROOT

LABELS = ROOT / "tests" / "support" / "fixtures" / "cifar10_test_labels.txt"
LOWEST = {"cnn": 0.90, "vit": 0.75, "zero_shot": 0.60}


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """CIFAR-10's test labels, which are the published ones by their hash."""
    digits = np.array([int(digit) for digit in LABELS.read_text().replace("\n", "")])
    assert hashlib.sha256(digits.astype(np.uint8).tobytes()).hexdigest() == CIFAR10["test_labels"]
    return digits


def stored(stage: str) -> Any:
    return store.read(open_project("offline", ROOT), stage)


@pytest.mark.parametrize("stage", open_project("offline", ROOT).stages)
def test_every_committed_result_was_made_by_committed_code(stage: str) -> None:
    provenance = stored(stage).provenance
    assert provenance.commit
    assert not provenance.modified


@pytest.mark.parametrize("stage", LOWEST)
def test_the_figures_follow_from_the_stored_predictions_and_the_published_labels(
    stage: str, labels: np.ndarray
) -> None:
    value: Classification = stored(stage).value
    predictions = np.array(value.predictions)
    assert len(predictions) == len(labels) == 10_000
    again = score(predictions_of([np.eye(len(value.classes))[predictions]]), labels, value.classes)
    assert value.labels_sha256 == CIFAR10["test_labels"]
    for name in ("top1", "per_class", "confusion", "labels_sha256", "predictions"):
        assert getattr(value, name) == again[name], name
    assert len(value.confidence) == 10_000
    assert 1 / len(value.classes) - 1e-4 <= min(value.confidence) <= max(value.confidence) <= 1


@pytest.mark.parametrize(("stage", "lowest"), LOWEST.items())
def test_the_models_reach_what_was_asked_of_them(stage: str, lowest: float) -> None:
    assert stored(stage).value.top1.value >= lowest


def test_the_offline_zero_shot_model_reports_every_prompt_set_and_is_not_called_clip() -> None:
    value: ZeroShot = stored("zero_shot").value
    assert [prompts.name for prompts in value.prompt_sets] == ["single prompt", "ensemble"]
    assert value.prompt_sets[0].top1 == value.top1
    assert value.without_centring is not None
    assert not value.is_clip
    assert "CLIP" not in value.model


def test_the_evidence_follows_from_the_committed_results() -> None:
    project = open_project("offline", ROOT)
    inputs = {name: stored(name).value for name in project.stages["evidence"].inputs}
    again = evidence(project.profile.evidence, inputs, SILENT)
    kept: Evidence = stored("evidence").value
    assert list(again.tests) == list(kept.tests)
    for key, test in again.tests.items():
        there = kept.tests[key]
        assert (test.verdict, test.only_one, test.only_other) == (
            there.verdict, there.only_one, there.only_other,
        ), key  # fmt: skip
        found = (test.one, test.other, test.difference.low, test.difference.high, test.adjusted)
        assert found == pytest.approx(
            (there.one, there.other, there.difference.low, there.difference.high, there.adjusted)
        ), key
