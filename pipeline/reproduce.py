"""Recomputing every result from nothing and holding it against the committed one."""

import dataclasses
import shutil
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from rich.console import Console

from pipeline import freshness, runner, store
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.result import Result
from pipeline.stage import Stage


class Comparison(BaseModel):
    """One headline figure of one stage, as committed and as a fresh run gives it."""

    stage: str
    figure: str
    committed: float
    fresh: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance (a rounding error is forgiven)."""
        return abs(self.fresh - self.committed) <= self.tolerance + 1e-12


def reproduce(project: Project[Any], console: Console) -> bool:
    """Recompute every stage into an empty folder, print all differences, and say if all are tolerable.

    The fresh results stay in ``.cache/<profile>-reproduction`` to be looked at; the committed ones
    are not touched. Downloads are reused, since their hashes are checked.

    Raises:
        UserError: if a committed result is missing or stale, before anything is computed.
    """
    for name, state in freshness.states(project, project.stages).items():
        if state.state != "fresh":
            raise UserError(f"The committed result of {name} is {state.state}: run `make experiments` first.")
    folder = project.cache.with_name(f"{project.cache.name}-reproduction")
    shutil.rmtree(folder, ignore_errors=True)
    scratch = dataclasses.replace(project, results=folder / "results", cache=folder / "cache")
    runner.bring_up_to_date(scratch, scratch.stages, console)
    comparisons = [
        comparison
        for stage in project.stages.values()
        for comparison in compare(
            stage, store.read(project, stage.name).value, store.read(scratch, stage.name).value
        )
    ]
    for comparison in comparisons:
        console.print(_line(comparison), highlight=False, soft_wrap=True)
    return all(comparison.agrees for comparison in comparisons)


def compare(stage: Stage, committed: Result, fresh: Result) -> Iterator[Comparison]:
    """Yield a comparison for each headline figure of two values of one stage."""
    old, new = committed.headline(), fresh.headline()
    for figure, value in old.items():
        yield Comparison(
            stage=stage.name, figure=figure, committed=value, fresh=new[figure], tolerance=stage.tolerance
        )


def _line(row: Comparison) -> str:
    verdict = "agrees" if row.agrees else "DIFFERS"
    return (
        f"{row.stage:<10} {row.figure:<24} committed {row.committed:.4f}  fresh {row.fresh:.4f}  "
        f"difference {row.fresh - row.committed:+.4f}  tolerance {row.tolerance:.4f}  {verdict}"
    )
