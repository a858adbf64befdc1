"""The results in the repository: made by committed code, and what their own predictions say.

Whether they are fresh is not asked here, so that an edit under way leaves the suite green:
`python -m experiments status --strict` asks it.
"""

import hashlib

import numpy as np
import pytest

from experiments.classification.evaluation import predictions_of, score
from experiments.config.comparison import EvidenceConfig
from experiments.datasets.cifar10_files import CIFAR10
from experiments.evidence.evidence import evidence
from experiments.results.classification import Classification
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from experiments.stages import STAGES
from tests.support.committed import committed, recomputed
from tests.support.copies import ROOT

LABELS = ROOT / "tests" / "support" / "fixtures" / "cifar10_test_labels.txt"
LOWEST = {"cnn": 0.90, "vit": 0.75, "zero_shot": 0.75}


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """CIFAR-10's test labels, which are the published ones by their hash."""
    digits = np.array([int(digit) for digit in LABELS.read_text().replace("\n", "")])
    assert hashlib.sha256(digits.astype(np.uint8).tobytes()).hexdigest() == CIFAR10["test_labels"]
    return digits


@pytest.mark.parametrize("stage", STAGES)
def test_every_committed_result_was_made_by_committed_code(stage: str) -> None:
    provenance = committed(stage).provenance
    assert provenance.commit
    assert not provenance.modified


@pytest.mark.parametrize(("stage", "lowest"), LOWEST.items())
def test_the_figures_follow_from_stored_predictions_and_published_labels_and_reach_what_was_asked(
    stage: str, lowest: float, labels: np.ndarray
) -> None:
    value: Classification = committed(stage).value
    assert value.top1.value >= lowest
    predictions = np.array(value.predictions)
    assert len(predictions) == len(labels) == 10_000
    again = score(predictions_of([np.eye(len(value.classes))[predictions]]), labels, value.classes)
    assert value.labels_sha256 == CIFAR10["test_labels"]
    for name in ("top1", "per_class", "confusion", "labels_sha256", "predictions"):
        assert getattr(value, name) == again[name], name
    assert len(value.confidence) == 10_000
    assert 1 / len(value.classes) - 1e-4 <= min(value.confidence) <= max(value.confidence) <= 1


def test_the_offline_zero_shot_model_reports_every_prompt_set_and_is_not_called_clip() -> None:
    value: ZeroShot = committed("zero_shot").value
    assert [prompts.name for prompts in value.prompt_sets] == ["single prompt", "ensemble"]
    assert value.prompt_sets[0].top1 == value.top1
    assert [len(tower.top1) for tower in value.less_adapted] == [2, 2]
    assert not value.is_clip
    assert "CLIP" not in value.model


def test_the_evidence_follows_from_the_committed_results() -> None:
    again: Evidence = recomputed("evidence", evidence, EvidenceConfig)
    kept: Evidence = committed("evidence").value
    assert list(again.tests) == list(kept.tests)
    for key, test in again.tests.items():
        found, there = ((each.verdict, each.only_one, each.only_other) for each in (test, kept.tests[key]))
        assert found == there, key
        found, there = (
            (each.one, each.other, each.difference.low, each.difference.high, each.adjusted)
            for each in (test, kept.tests[key])
        )
        assert found == pytest.approx(there), key
