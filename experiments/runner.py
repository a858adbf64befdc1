"""Bringing results up to date: the only place where a stage is called."""

import datetime
import importlib
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.console import Console

from experiments import cache, progress, provenance
from experiments.captioning.context import CaptioningContext
from experiments.context import Progress
from experiments.datasets.captioned import load_photos
from experiments.datasets.classified import load_images
from experiments.datasets.downloads import fetch
from experiments.errors import UserError
from experiments.project import Project
from experiments.results.envelope import Envelope, Provenance
from experiments.stages import Stage

_COMPLETE = "complete"
"""The file that marks a scratch folder whose stage has run to its end."""


def bring_up_to_date(project: Project, names: Iterable[str], console: Console) -> None:
    """Compute the named stages and what they build on, as far as they are stale or missing.

    Each result is written as soon as it is there. A second run at the same time waits for the first
    at each stage, then finds the result fresh.

    Raises:
        UserError: if a stage is unknown or cannot be run.
    """
    for name in _with_inputs(project, names):
        if cache.freshness(project, name).state == "fresh":
            continue
        with FileLock(_lock(project, name)):
            state = cache.freshness(project, name)
            if state.state != "fresh":
                console.print(
                    f"{name} is {state.state}: {'; '.join(state.why)}", highlight=False, soft_wrap=True
                )
                _compute(project, project.stages[name], console)
    console.print(
        f"The results in results/{project.profile.name} are up to date.", highlight=False, soft_wrap=True
    )


def _with_inputs(project: Project, names: Iterable[str]) -> list[str]:
    """Return the named stages and all they build on, in the pipeline's order."""
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        stage = cache.stage_of(project, waiting.pop())
        wanted.add(stage.name)
        waiting.extend(stage.inputs)
    return [name for name in project.stages if name in wanted]


def _lock(project: Project, name: str) -> str:
    # Beside the results rather than in the cache: whoever writes here must wait, whatever its cache.
    project.results.mkdir(parents=True, exist_ok=True)
    return str(project.results / f".{name}.lock")


def _compute(project: Project, stage: Stage, console: Console) -> None:
    parts = cache.ingredients(project, stage.name)
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    commit, modified = provenance.commit(project.root)
    with progress.shown(stage.name, console) as report:
        value = _call(project, stage, report, console)
    envelope = Envelope[stage.result](
        stage=stage.name,
        profile=project.profile.name,
        key=cache.key(parts),
        provenance=Provenance(
            ingredients=parts,
            commit=commit,
            modified=modified,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 1),
            seed=getattr(getattr(project.profile, stage.section), "seed", None),
            device=provenance.device(),
            threads=provenance.threads(),
            python=platform.python_version(),
            versions=provenance.versions(),
        ),
        value=value,
    )
    cache.write(project, envelope)
    figures = getattr(value, "headline", dict)()
    summary = ", ".join(f"{name} {figure:.4f}" for name, figure in figures.items())
    console.print(f"{stage.name}: {summary or 'done'}", highlight=False, soft_wrap=True)


def _call(project: Project, stage: Stage, report: Progress, console: Console) -> Any:
    """Call the stage's function and mark its scratch folder as complete, which it is not while that runs."""
    section = getattr(project.profile, stage.section)
    inputs = {name: cache.read(project, name).value for name in stage.inputs}
    function = _function(stage)
    context = _context(project, stage, report, console)
    mark = context.scratch / _COMPLETE
    mark.unlink(missing_ok=True)
    value = function(section, inputs, context)
    mark.touch()
    return value


def _function(stage: Stage) -> Any:
    module, _, name = stage.function.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"Stage {stage.name} needs the package {error.name}, which is not installed: "
            "run `make experiments`, or `pip install -r requirements.txt`."
        ) from error


def _context(project: Project, stage: Stage, report: Progress, console: Console) -> CaptioningContext:
    """Return the surroundings of a stage; captioning stages use all of them, other stages a part."""

    def say(line: str) -> None:
        console.print(f"  {stage.name}: {line}", highlight=False, soft_wrap=True)

    def declared(section: str) -> Any:
        if section not in stage.data:
            raise ValueError(
                f"stage {stage.name} does not declare {section}, so its key would not follow them"
            )
        return getattr(project.profile, section)

    return CaptioningContext(
        images=lambda: load_images(declared("images"), project.downloads, say),
        photos=lambda: load_photos(declared("photos"), project.root, project.downloads, say),
        fetch=lambda archive: fetch(archive, project.downloads, say),
        artefact=lambda source: _artefact(project, stage, source, report, console),
        attach=lambda file, content: cache.attach(project, stage.name, file, content),
        scratch=_scratch(project, stage.name),
        shared=project.cache,
        progress=report,
    )


def _scratch(project: Project, name: str) -> Path:
    """Return the folder under `.cache/` that belongs to stage `name` at today's key; it exists."""
    folder = project.cache / name / cache.key(cache.ingredients(project, name))[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _artefact(project: Project, stage: Stage, source: str, report: Progress, console: Console) -> Path:
    """Return the scratch folder of an input with what its stage leaves there, made again if it is gone."""
    if source not in stage.inputs:
        raise ValueError(f"stage {stage.name} does not declare {source}, so its key would not follow it")
    folder = _scratch(project, source)
    with FileLock(_lock(project, source)):
        if not (folder / _COMPLETE).is_file():
            report(0, 0, f"what {source} left in .cache is gone, so it runs again; its result stays")

            def report_of_source(done: int, total: int, note: str) -> None:
                report(done, total, note and f"{source}, {note}")

            _call(project, project.stages[source], report_of_source, console)
    return folder
