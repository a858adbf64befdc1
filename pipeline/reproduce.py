"""Recomputing every result from nothing and holding it against the committed one."""

import dataclasses
import shutil
from typing import Any

from rich.console import Console

from pipeline import freshness, runner, store
from pipeline.errors import UserError
from pipeline.project import Project


def reproduce(project: Project[Any], console: Console) -> bool:
    """Recompute every stage into an empty folder, print all differences, and say if all are tolerable.

    The fresh results stay in ``.cache/<profile>-reproduction`` to be looked at; the committed ones
    are not touched. Downloads are reused, since their hashes are checked.

    Raises:
        UserError: if a committed result is missing or stale, before anything is computed.
    """
    for name, state in freshness.states(project, project.stages).items():
        if state.state != "fresh":
            command = f"python -m experiments run --profile {project.name}"
            raise UserError(f"The committed result of {name} is {state.state}: run `{command}` first.")
    folder = project.cache.with_name(f"{project.cache.name}-reproduction")
    shutil.rmtree(folder, ignore_errors=True)
    scratch = dataclasses.replace(project, results=folder / "results", cache=folder / "cache")
    runner.bring_up_to_date(scratch, scratch.stages, console)
    all_agree = True
    for name, stage in project.stages.items():
        committed, fresh = (store.read(each, name).value.headline() for each in (project, scratch))
        for figure, value in committed.items():
            difference = fresh[figure] - value
            agrees = abs(difference) <= stage.tolerance + 1e-12  # a rounding error is forgiven
            all_agree = all_agree and agrees
            line = (
                f"{name:<10} {figure:<24} committed {value:.4f}  fresh {fresh[figure]:.4f}  difference "
                f"{difference:+.4f}  tolerance {stage.tolerance:.4f}  {'agrees' if agrees else 'DIFFERS'}"
            )
            console.print(line, highlight=False, soft_wrap=True)
    return all_agree
