"""Data moves from experiments to results to reporting, and nothing right of the results needs torch."""

import pytest

from experiments.closure import closure
from tests.support.copies import ROOT
from tests.support.imports import HEAVY, imported_at_once, targets


def modules(folder: str) -> list[str]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files
    ]


@pytest.mark.parametrize("module", modules("experiments"))
def test_experiments_never_import_the_report(module: str) -> None:
    reached = {name.partition(".")[0] for name in closure(module, ROOT)}
    assert reached == {"experiments"}


@pytest.mark.parametrize("module", [*modules("reporting"), *modules("figures"), "experiments.__main__"])
def test_nothing_right_of_the_results_imports_torch(module: str) -> None:
    reached = {name.partition(".")[0] for name in imported_at_once(module)}
    assert not reached & HEAVY


def test_the_walk_would_notice_torch() -> None:
    assert "torch" in {name.partition(".")[0] for name in imported_at_once("experiments.classification.cnn")}
    assert targets("def f():\n    import torch\nimport a.b\nfrom c import d\n") == ["a.b", "c", "c.d"]
