"""Small results in a project of their own, for tests of the pages."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import cache
from experiments.classification.evaluation import score
from experiments.project import Project, open_project
from experiments.results.envelope import Envelope, Provenance
from experiments.results.trained import TrainedClassifier
from experiments.results.zero_shot import PromptSet, ZeroShot

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("cat", "dog", "ship")


def classifier(stage: str, accuracy: float = 0.8, n: int = 300, model: str | None = None) -> Any:
    """Make a result for `stage` that is right on the first `accuracy` share of `n` images."""
    labels = np.arange(n) % len(CLASSES)
    predictions = np.where(np.arange(n) < round(accuracy * n), labels, (labels + 1) % len(CLASSES))
    scores = score(np.eye(len(CLASSES))[predictions] * 0.9 + 0.1 / 3, labels, CLASSES)
    common: dict[str, Any] = dict(
        model=model or f"The {stage} model",
        **scores,
        parameters=1_970_000,
        precision="bf16",
        seconds=485.2,
        images_per_second=1240.4,
    )
    if stage == "zero_shot":
        prompts = PromptSet(name="single prompt", templates=("a photo of a {}.",), top1=scores["top1"])
        return ZeroShot(
            **common, epochs=0, weights="none", is_clip=False, seen_labels="Its tower saw other labels.",
            prompt_sets=(prompts,), without_centring=scores["top1"],
        )  # fmt: skip
    return TrainedClassifier(
        **common, epochs=8, training_images=50_000, training_seconds=450.0, loss=(2.0, 1.0)
    )


def store(project: Project, stage: str, value: Any, **altered: Any) -> None:
    """Write `value` as the fresh result of `stage`; `altered` replaces parts of its ingredients."""
    parts = cache.ingredients(project, stage).model_copy(update=altered)
    envelope = Envelope[Any](
        stage=stage,
        profile=project.profile.name,
        key=cache.key(parts),
        provenance=Provenance(
            ingredients=parts, commit="0123456789abcdef", modified=False, started="2026-01-02T03:04:05+00:00",
            seconds=485.2, seed=0, device="a processor", threads=2, python="3.11.7",
            versions={"numpy": "2.4.6"},
        ),
        value=value,
    )  # fmt: skip
    cache.write(project, envelope)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the project, without results, with the smoke profile."""
    for folder in ("experiments", "profiles", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return open_project("smoke", tmp_path)


@pytest.fixture
def filled(project: Project) -> Project:
    """The same with a fresh result for every classifier."""
    for stage, accuracy in (("zero_shot", 0.6), ("vit", 0.8), ("cnn", 0.9)):
        store(project, stage, classifier(stage, accuracy))
    return project
