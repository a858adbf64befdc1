"""Data moves from experiments to results to reporting, and nothing right of the results needs torch."""

import ast
from pathlib import Path

import pytest

from experiments.closure import closure

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "torchvision", "transformers", "open_clip", "timm", "peft", "scipy"}


def modules(folder: str) -> list[str]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files
    ]


@pytest.mark.parametrize("module", modules("experiments"))
def test_experiments_never_import_the_report(module: str) -> None:
    reached = {name.partition(".")[0] for name in closure(module, ROOT)}
    assert reached == {"experiments"}


def imported_at_once(module: str) -> set[str]:
    """Return what importing `module` imports: first-party modules are followed, functions left aside."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        stem = ROOT.joinpath(*name.split("."))
        path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
        if name not in found and path.is_file():
            waiting += targets(path.read_text())
        found.add(name)
    return found


def targets(source: str) -> list[str]:
    """Return every name that an import outside functions could mean a module by."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and node.col_offset == 0:
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.col_offset == 0:
            names += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


@pytest.mark.parametrize("module", [*modules("reporting"), *modules("figures"), "experiments.__main__"])
def test_nothing_right_of_the_results_imports_torch(module: str) -> None:
    reached = {name.partition(".")[0] for name in imported_at_once(module)}
    assert not reached & HEAVY


def test_the_walk_would_notice_torch() -> None:
    assert "torch" in {name.partition(".")[0] for name in imported_at_once("experiments.classification.cnn")}
    assert targets("def f():\n    import torch\nimport a.b\nfrom c import d\n") == ["a.b", "c", "c.d"]
