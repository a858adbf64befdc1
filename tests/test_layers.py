"""Who imports whom: the engine nobody, the experiments the engine, the report only results and no torch."""

import re
import sys
from importlib.metadata import packages_distributions

import pytest

from experiments.datasets.loaders import LOADERS
from experiments.stages import STAGES
from tests.support.copies import ROOT
from tests.support.imports import HEAVY, imported, imported_at_once, targets

FIRST_PARTY = {"pipeline", "experiments", "reporting", "figures", "tests", "benchmarks"}
FOR_STAGES = {"pipeline", "pipeline.errors", "pipeline.files", "pipeline.frozen", "pipeline.result"}
"""What a stage may know of the engine: errors, atomic writing, and the form of what it returns."""
ABOUT_DATA = {"experiments.datasets.fingerprints"}
"""What the engine asks about data, and no stage imports."""


def modules(*folders: str) -> list[str]:
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)
    return [name.removesuffix(".__init__") for name in names]


def first_party(names: set[str]) -> set[str]:
    """Return the names of modules of the project; others are what is taken from them."""
    return names & set(modules(*FIRST_PARTY))


@pytest.mark.parametrize("module", modules("pipeline"))
def test_the_engine_imports_nothing_first_party_outside_itself(module: str) -> None:
    reached = first_party(imported(module))
    assert {name.partition(".")[0] for name in reached} == {"pipeline"}


@pytest.mark.parametrize("module", modules("experiments"))
def test_experiments_never_import_the_report(module: str) -> None:
    reached = {name.partition(".")[0] for name in first_party(imported(module))}
    assert reached <= {"pipeline", "experiments"}


@pytest.mark.parametrize("function", [*(stage.function for stage in STAGES.values()), *LOADERS.values()])
def test_a_stage_or_loader_knows_of_the_engine_only_errors_atomic_writing_and_the_form_of_results(
    function: str,
) -> None:
    reached = first_party(imported(function.partition(":")[0]))
    assert {name for name in reached if name.partition(".")[0] == "pipeline"} <= FOR_STAGES
    assert not reached & ABOUT_DATA


def test_no_two_modules_import_each_other_even_by_way_of_others() -> None:
    """Imports within functions count too, since they only hide a circle."""
    names = modules("pipeline", "experiments", "reporting", "figures")
    reached = {name: imported(name) - {name} for name in names}
    circles = {
        tuple(sorted((one, other)))
        for one in names
        for other in reached[one] & set(names)
        if one in reached[other]
        # A package is imported with each of its modules, and imports nothing itself.
        and not one.startswith(f"{other}.")
        and not other.startswith(f"{one}.")
    }
    assert not circles


@pytest.mark.parametrize("module", [*modules("reporting", "figures"), "experiments.__main__"])
def test_nothing_right_of_the_results_imports_torch(module: str) -> None:
    reached = {name.partition(".")[0] for name in imported_at_once(module)}
    assert not reached & HEAVY


def test_a_page_and_status_are_asked_for_without_the_libraries_of_arrays_and_pictures() -> None:
    for module in ("reporting.document", "experiments.__main__"):
        reached = {name.partition(".")[0] for name in imported_at_once(module)}
        assert not reached & {"numpy", "PIL", "matplotlib", "scipy"}


def test_the_render_environment_has_all_that_the_report_and_status_import() -> None:
    lock = (ROOT / "requirements-render.lock").read_text(encoding="utf-8")
    has = {name.replace("_", "-") for name in re.findall(r"(?m)^([\w.-]+)==", lock)}
    of_package = packages_distributions()
    asked = {
        name.partition(".")[0]
        for module in [*modules("reporting", "figures"), "experiments.__main__"]
        for name in imported_at_once(module)
    }
    lacking = {
        package
        for package in asked - {"", *FIRST_PARTY} - sys.stdlib_module_names
        if has.isdisjoint(name.lower().replace("_", "-") for name in of_package.get(package, [package]))
    }
    assert not lacking


def test_the_walks_would_notice_what_they_look_for() -> None:
    assert "torch" in {name.partition(".")[0] for name in imported_at_once("experiments.classification.cnn")}
    assert targets("def f():\n    import torch\nimport a.b\nfrom c import d\n") == ["a.b", "c", "c.d"]
    assert "torch" in targets("def f():\n    import torch\n", everywhere=True)
    assert "pipeline.runner" in imported("experiments.__main__")
    assert "experiments.datasets.loading" in imported("experiments.stages")
