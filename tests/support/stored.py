"""Results on disk that no run made."""

from typing import Any

from pipeline import keys, store
from pipeline.envelope import Envelope, Ingredients, Provenance
from pipeline.project import Project


def provenance(ingredients: Ingredients) -> Provenance:
    """Return the circumstances of a run on some machine."""
    return Provenance(
        ingredients=ingredients, commit="0123456789abcdef", modified=False,
        started="2026-01-02T03:04:05+00:00", seconds=485.2, seed=0, device="a processor", threads=2,
        python="3.11.7", versions={"numpy": "2.4.6", "peft": "0.21.2"},
    )  # fmt: skip


def put(project: Project, stage: str, value: Any, **altered: Any) -> None:
    """Write `value` as the fresh result of `stage`; `altered` replaces parts of its ingredients."""
    parts = keys.ingredients(project, stage).model_copy(update=altered)
    envelope = Envelope[Any](
        stage=stage, profile=project.name, key=keys.key(parts), provenance=provenance(parts),
        artefacts={}, value=value,
    )  # fmt: skip
    store.write(project, envelope)
