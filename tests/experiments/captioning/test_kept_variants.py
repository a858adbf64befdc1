"""Variants that an earlier run finished and kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.captioning import variants
from experiments.models.processes import ALONE


class Kept(SimpleNamespace):
    """Stands for a tuned variant: what it is made of does not matter here."""

    def model_dump_json(self) -> str:
        return f'{{"loss": {self.loss}}}'


@pytest.fixture
def tuned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by an entry whenever a variant is tuned."""
    done: list[str] = []

    def full(*arguments: Any) -> Kept:
        done.append("full")
        return Kept(loss=2.5)

    monkeypatch.setattr(variants, "_full", full)
    monkeypatch.setattr(variants.TunedVariant, "model_validate_json", lambda content: content)
    return done


def finished(path: Path) -> Any:
    bench: Any = SimpleNamespace(context=SimpleNamespace(processes=ALONE), cost=lambda way: {})
    way: Any = SimpleNamespace(key="full", rank=None, targets=())
    return variants._finished(bench, way, path)


def test_a_variant_that_was_kept_is_not_tuned_again_unless_what_was_kept_was_altered(
    tuned: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "full.json"
    finished(path)
    assert finished(path) == b'{"loss": 2.5}'
    assert tuned == ["full"]
    path.write_bytes(path.read_bytes().replace(b"2.5", b"1.5"))
    assert finished(path).loss == 2.5
    assert finished(path) == b'{"loss": 2.5}'
    assert tuned == ["full", "full"]
