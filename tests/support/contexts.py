"""What a stage is lent by tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.context import Context
from experiments.models.processes import ALONE


def silently(done: int, total: int, note: str) -> None:
    """Take a report of progress and do nothing."""


def killed_at(step: int) -> Callable[[int, int, str], None]:
    """Return a report of progress that ends the work, as a kill would, once `step` steps are done."""

    def report(done: int, total: int, note: str) -> None:
        if done == step:
            raise KeyboardInterrupt

    return report


def unwanted(*asked: object) -> Any:
    """Stand for what the stage must not ask for."""
    raise AssertionError(f"the stage asked for {asked}")


def _chosen(choice: Any) -> Any:
    from experiments.models.precision import chosen

    return chosen(choice)


def context(folder: Path = Path(), **lent: Any) -> Context:
    """Return what a stage is lent: what is not `lent` it must not ask for."""
    loaders = ("images", "photos", "fetch", "manifest", "artefact", "attach")
    parts: dict[str, Any] = dict.fromkeys(loaders, unwanted)
    parts |= {"precision": _chosen}
    parts |= {"scratch": folder, "shared": folder, "root": Path(), "progress": silently, "processes": ALONE}
    return Context(**{**parts, **lent})


SILENT = context()
"""The surroundings of a stage that reads text only."""
