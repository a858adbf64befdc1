"""Data moves from experiments to results to reporting, and nothing right of the results needs torch."""

from pathlib import Path

import pytest

from experiments.closure import _analyse, closure

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
    """Return what importing `module` imports, first-party modules followed, functions left aside."""
    import ast

    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        stem = ROOT.joinpath(*name.split("."))
        path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
        if name in found or not path.is_file():
            found.add(name)
            continue
        found.add(name)
        tree = ast.parse(path.read_text())
        tree.body = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset == 0
        ]
        for _, target, names in _analyse(ast.unparse(tree))[1]:
            waiting += [target, *(f"{target}.{each}" for each in names)]
    return found


@pytest.mark.parametrize("module", [*modules("reporting"), *modules("figures"), "experiments.__main__"])
def test_nothing_right_of_the_results_imports_torch(module: str) -> None:
    reached = {name.partition(".")[0] for name in imported_at_once(module)}
    assert not reached & HEAVY
