"""Computing results again from nothing, stage by stage, and holding them against the committed ones."""

import dataclasses
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline import freshness, keys, runner, store
from pipeline.closure import Code
from pipeline.envelope import Envelope
from pipeline.errors import UserError
from pipeline.headlines import figure
from pipeline.progress import say
from pipeline.project import Project
from pipeline.stage import Stage

FOLDER = "reproduction"
"""The folder of `.cache/` for results that were computed again: each profile has one in it."""


def reproduce(
    project: Project[Any], console: Console, names: Collection[str] = (), *, force: bool = False
) -> bool:
    """Compute the named stages again, all if none, print all differences, and say if all are tolerable.

    Each stage is computed from the committed results of its inputs, so that it does not wait for theirs, and
    what these left for it is made again if it is not there. The fresh results stay in
    ``.cache/reproduction/<profile>`` to be looked at, and a later call goes on after them: a stage that was
    computed is only compared, unless `force` asks for it anew. The committed results are not touched.
    Downloads are reused, since their hashes are checked.

    Raises:
        UserError: if a stage is unknown, or a committed result that is needed is missing or stale, before
            anything is computed.
    """
    code = Code(project.root)
    needed = project.with_inputs(names or project.stages)
    wanted = [name for name in needed if not names or name in names]
    spared = {name for each in wanted for name in project.stages[each].optional} - {*wanted}
    for name, state in freshness.states(project, needed, code).items():
        if state.state != "fresh" and not (name in spared and state.state == "missing"):
            command = f"python -m experiments run --profile {project.name}"
            raise UserError(f"The committed result of {name} is {state.state}: run `{command}` first.")
    table: list[str] = []
    all_agree = True
    for name in wanted:
        committed = store.read(project, name)
        again = _beside(project, name, committed.key)
        is_done = not force and _is_done(again, name, code)
        if not is_done:
            precision = {name: committed.value.precision_used()}
            _copy_inputs(project, again, name)
            forced = [name] if force else []
            if not runner.bring_up_to_date(
                again, [name], console, force=forced, code=code, precisions=precision
            ):
                raise UserError(
                    f"What {name} follows changed while it was computed: run the same command again."
                )
        lines, agrees = _verdict(project.stages[name], committed, store.read(again, name))
        earlier = "  (computed earlier; --force computes it anew)" if is_done and not agrees else ""
        table += [f"{line}{earlier}" for line in lines]
        all_agree = all_agree and agrees
        if len(wanted) > 1:
            say(console, "\n".join(lines))
    say(console, "\n".join(["Reproduced:", *table]))
    return all_agree


def _beside(project: Project[Any], name: str, key: str) -> Project[Any]:
    """Return the project in which stage `name` is computed again, for a committed result of this key.

    Stages share the cache, where one finds what another left, and have results of their own.
    """
    folder = project.cache.parent / FOLDER / project.name
    return dataclasses.replace(project, results=folder / name / key[:16], cache=folder / "cache")


def _is_done(again: Project[Any], name: str, code: Code) -> bool:
    """Tell whether a stage was computed again by this code, which may not be all that its key follows."""
    try:
        made_by = store.read(again, name).provenance.ingredients.code
    except UserError:
        return False
    return made_by == keys.code_of(again, again.stages[name], code)


def _copy_inputs(project: Project[Any], again: Project[Any], name: str) -> None:
    """Put copies of the committed results that a stage builds on where it is computed again."""
    shutil.rmtree(again.results, ignore_errors=True)
    for source in project.with_inputs([name]):
        if source != name:
            _copy(store.path_of(project, source), store.path_of(again, source))
            _copy(store.attachment_path(project, source, ""), store.attachment_path(again, source, ""))
    for manifest in project.results.glob("*.sha256"):
        _copy(manifest, again.results / manifest.name)


def _copy(path: Path, target: Path) -> None:
    """Copy a file, or a folder, that may not be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        for file in path.iterdir():  # one by one: an error then names a file and a reason
            _copy(file, target / file.name)
    elif path.is_file():
        shutil.copyfile(path, target)


def _verdict(stage: Stage, committed: Envelope[Any], fresh: Envelope[Any]) -> tuple[list[str], bool]:
    """Return a line for each figure, one for each artefact that is another, and whether all figures agree.

    An artefact need not be the same byte by byte where arithmetic differs: the figures decide.
    """
    old, new = committed.value.headline(), fresh.value.headline()
    lines, agree = [], True
    for name in {**old, **new}:
        line, agrees = _compared(stage, name, old.get(name), new.get(name))
        lines.append(line)
        agree = agree and agrees
    if not lines:
        lines.append(f"{stage.name:<10} was computed; it has no figures to compare")
    lines += [
        f"{stage.name:<10} {file:<24} is not the committed one byte by byte"
        for file in freshness.differing(committed.artefacts, fresh.artefacts)
    ]
    return lines, agree


def _compared(stage: Stage, name: str, old: float | None, new: float | None) -> tuple[str, bool]:
    """Return the line of a figure, and whether it agrees; one that either result lacks does not."""
    where = f"{stage.name:<10} {name:<24}"
    if old is None or new is None:
        return (
            f"{where} stands in {'the fresh' if old is None else 'the committed'} result alone  DIFFERS",
            False,
        )
    agrees = abs(new - old) <= stage.tolerance + 1e-12  # a rounding error is forgiven
    difference = new - old
    sign = "-" if difference < 0 else "+"
    return (
        f"{where} committed {figure(old)}  fresh {figure(new)}  difference {sign}{figure(abs(difference))}  "
        f"tolerance {stage.tolerance:.4f}  {'agrees' if agrees else 'DIFFERS'}"
    ), agrees
