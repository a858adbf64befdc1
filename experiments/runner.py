"""Bringing results up to date: the only place where a stage is called."""

import datetime
import importlib
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
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
from experiments.processes import ALONE, Processes, is_main
from experiments.project import Project
from experiments.results.attachment import Attachment
from experiments.results.envelope import Envelope, Provenance
from experiments.stages import Stage

_COMPLETE = "complete"
"""The file that marks a scratch folder whose stage has run to its end."""


def bring_up_to_date(
    project: Project, names: Iterable[str], console: Console, processes: Processes = ALONE
) -> None:
    """Compute the named stages and what they build on, as far as they are stale or missing.

    Each result is written as soon as it is there. A second run at the same time waits for the first
    at each stage, then finds the result fresh. Of several processes the main one decides and writes, and
    has a `console`.

    Raises:
        UserError: if a stage is unknown or cannot be run.
    """
    for name in cache.with_inputs(project, names):
        if processes.told(is_main(processes) and cache.freshness(project, name).state == "fresh"):
            continue
        with _held(_lock(project, name), processes):
            state = processes.told(cache.freshness(project, name) if is_main(processes) else None)
            if state.state != "fresh":
                console.print(
                    f"{name} is {state.state}: {'; '.join(state.why)}", highlight=False, soft_wrap=True
                )
                _compute(project, project.stages[name], console, processes)
    console.print(
        f"The results in results/{project.profile.name} are up to date.", highlight=False, soft_wrap=True
    )


def _lock(project: Project, name: str) -> str:
    # Beside the results rather than in the cache: whoever writes here must wait, whatever its cache.
    project.results.mkdir(parents=True, exist_ok=True)
    return str(project.results / f".{name}.lock")


@contextmanager
def _held(lock: str, processes: Processes) -> Iterator[None]:
    """Hold a lock in the main process while all are in the block."""
    with FileLock(lock) if is_main(processes) else nullcontext():
        yield
        processes.wait()


def _compute(project: Project, stage: Stage, console: Console, processes: Processes) -> None:
    if not stage.parallel and not is_main(processes):
        return
    parts = cache.ingredients(project, stage.name)
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    commit, modified = provenance.commit(project.root)
    with progress.shown(stage.name, console) as report:
        value = _call(_Call(project, stage, report, console, processes if stage.parallel else ALONE))
    if not is_main(processes):
        return
    for section in stage.data:
        cache.record_manifest(project, section)
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


@dataclass(frozen=True)
class _Call:
    """A stage that is called, and where it reports to."""

    project: Project
    stage: Stage
    report: Progress
    console: Console
    processes: Processes

    def say(self, line: str) -> None:
        """Print a line under the stage's name."""
        self.console.print(f"  {self.stage.name}: {line}", highlight=False, soft_wrap=True)


def _call(call: _Call) -> Any:
    """Call the stage's function and mark its scratch folder as complete, which it is not while that runs."""
    project, stage, processes = call.project, call.stage, call.processes
    section = getattr(project.profile, stage.section)
    inputs = {name: cache.read(project, name).value for name in stage.inputs}
    function = _function(stage)
    context = _context(call)
    mark = context.scratch / _COMPLETE
    if is_main(processes):
        mark.unlink(missing_ok=True)
        _fetch_data(stage, context)
    processes.wait()
    value = function(section, inputs, context)
    processes.wait()
    if is_main(processes):
        mark.touch()
    return value


def _fetch_data(stage: Stage, context: CaptioningContext) -> None:
    """Let the main process write what loading data leaves on disk, before all processes read it."""
    if context.processes.count > 1:
        for section, load in (("images", context.images), ("photos", context.photos)):
            if section in stage.data:
                load()


def _function(stage: Stage) -> Any:
    module, _, name = stage.function.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"Stage {stage.name} needs the package {error.name}, which is not installed: "
            "run `make experiments`, or `pip install -r requirements.txt`."
        ) from error


def _context(call: _Call) -> CaptioningContext:
    """Return the surroundings of a stage; captioning stages use all of them, other stages a part."""
    project, stage = call.project, call.stage

    def declared(section: str) -> Any:
        if section not in stage.data:
            raise ValueError(
                f"stage {stage.name} does not declare {section}, so its key would not follow them"
            )
        return getattr(project.profile, section)

    def attach(file: str, content: bytes) -> Attachment:
        if is_main(call.processes):
            return cache.attach(project, stage.name, file, content)
        return cache.attachment(file, content)

    return CaptioningContext(
        images=lambda: load_images(
            declared("images"),
            project.root,
            project.downloads,
            cache.prepared_folder(project),
            call.say,
        ),
        photos=lambda: load_photos(declared("photos"), project.root, project.downloads, call.say),
        fetch=lambda archive: fetch(archive, project.downloads, call.say),
        artefact=lambda source: _artefact(call, source),
        attach=attach,
        manifest=lambda section: cache.manifest_digest(project, section),
        scratch=_scratch(project, stage.name),
        shared=project.cache,
        progress=call.report,
        root=project.root,
        processes=call.processes,
    )


def _scratch(project: Project, name: str) -> Path:
    """Return the folder under `.cache/` that belongs to stage `name` at today's key; it exists."""
    folder = project.cache / name / cache.key(cache.ingredients(project, name))[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _artefact(call: _Call, source: str) -> Path:
    """Return the scratch folder of an input with what its stage leaves there, made again if it is gone."""
    project, processes = call.project, call.processes
    if source not in call.stage.inputs:
        raise ValueError(f"stage {call.stage.name} does not declare {source}, so its key would not follow it")
    folder = _scratch(project, source)
    with _held(_lock(project, source), processes):
        if not processes.told((folder / _COMPLETE).is_file()):
            call.report(0, 0, f"what {source} left in .cache is gone, so it runs again; its result stays")

            def report_of_source(done: int, total: int, note: str) -> None:
                call.report(done, total, note and f"{source}, {note}")

            _call(replace(call, stage=project.stages[source], report=report_of_source))
    return folder
