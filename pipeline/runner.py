"""Bringing results up to date: the only place where a stage is called."""

import datetime
import importlib
import platform
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock
from rich.console import Console

from pipeline import freshness, keys, progress, provenance, store
from pipeline.envelope import Envelope, Provenance
from pipeline.errors import UserError, first_few
from pipeline.headlines import beside
from pipeline.project import Project
from pipeline.result import Attachment
from pipeline.stage import Data, Stage

_COMPLETE = "complete"
"""The file that marks a scratch folder whose stage has run to its end."""


class Processes(Protocol):
    """This process among several that run the same stages, as far as the engine needs to know."""

    @property
    def rank(self) -> int:
        """Return this process's number; 0 is the main process, which alone decides and writes."""
        ...

    def broadcast(self, value: Any) -> Any:
        """Return the value of the main process."""
        ...

    def barrier(self) -> None:
        """Return when all processes have called it."""
        ...


@dataclass(frozen=True)
class Call:
    """A call of a stage: what a project makes of it is lent to the stage.

    `processes` are those that run the stage together, None for one alone.
    """

    project: Project[Any]
    stage: Stage
    progress: progress.Report
    console: Console
    processes: Processes | None

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes."""
        return _is_main(self.processes)

    @cached_property
    def scratch(self) -> Path:
        """The stage's own folder under `.cache/`; it exists."""
        return _scratch(self.project, self.stage.name)

    @property
    def shared(self) -> Path:
        """The folder under `.cache/` for what survives a change of key."""
        return self.project.cache

    def say(self, line: str) -> None:
        """Print a line under the stage's name."""
        self.console.print(f"  {self.stage.name}: {line}", highlight=False, soft_wrap=True)

    def data(self, name: str) -> Data:
        """Return one of the stage's data.

        Raises:
            ValueError: if the stage does not declare them, so that its key would not follow them.
        """
        for data in self.stage.data:
            if data.name == name:
                return data
        raise ValueError(f"stage {self.stage.name} does not declare {name}, so its key would not follow them")

    def load(self, name: str) -> Any:
        """Load data that the stage declares."""
        load = self.data(name).load
        if load is None:
            raise ValueError(f"{name} is nothing that can be loaded")
        return load(self)

    def manifest(self, name: str) -> tuple[str, int] | None:
        """Return the hash of the manifest of a user's own files among the stage's data, and their number."""
        return keys.manifest_digest(self.project, self.data(name))

    def attach(self, file: str, content: bytes) -> Attachment:
        """Write a small file beside the stage's result."""
        if self.is_main:
            return store.attach(self.project, self.stage.name, file, content)
        return Attachment.of(file, content)

    def artefact(self, source: str) -> Path:
        """Return the scratch folder of an input with what its stage left there, made again if it is gone."""
        project, processes = self.project, self.processes
        if source not in self.stage.inputs:
            raise ValueError(
                f"stage {self.stage.name} does not declare {source}, so its key would not follow it"
            )
        folder = _scratch(project, source)
        with _held(_lock(project, source), processes):
            if not _broadcast(processes, self.is_main and _is_whole(project, source, folder)):
                self.progress(
                    0, 0, f"what {source} left in .cache is gone, so it runs again; its result stays"
                )

                def report_of_source(done: int, total: int, note: str) -> None:
                    self.progress(done, total, note and f"{source}, {note}")

                _call(replace(self, stage=project.stages[source], progress=report_of_source))
        return folder


def bring_up_to_date(
    project: Project[Any],
    names: Iterable[str],
    console: Console,
    processes: Processes | None = None,
    force: Collection[str] = (),
) -> None:
    """Compute the named stages and what they build on, as far as they are stale or missing, or in `force`.

    A stage in `force` is computed from an empty scratch folder although its result is fresh; if such a run is
    killed, the next goes on with it. In the end the figures of what was computed are printed, beside the
    older ones where a readable result stood there before.

    Each result is written as soon as it is there. A second run at the same time waits for the first
    at each stage, then finds the result fresh. Of several processes the main one decides and writes, and
    has a `console`.

    Raises:
        UserError: if a stage is unknown or cannot be run.
    """
    is_main = _is_main(processes)
    figures: list[str] = []
    for name in project.with_inputs(names):
        is_forced = name in force
        if not is_forced and _broadcast(processes, is_main and freshness.of(project, name).state == "fresh"):
            continue
        with _held(_lock(project, name), processes):
            state = _broadcast(processes, freshness.of(project, name) if is_main else None)
            if is_forced or state.state != "fresh":
                why = first_few(state.why) or "it is computed again all the same"
                console.print(f"{name} is {state.state}: {why}", highlight=False, soft_wrap=True)
                if is_forced and is_main and (_scratch(project, name) / _COMPLETE).exists():
                    # What is not complete was left by a run that was killed, which this one goes on with.
                    shutil.rmtree(_scratch(project, name))
                older = _headline(project, name)
                _compute(project, project.stages[name], console, processes)
                figures.append(f"{name}: {beside(older, _headline(project, name) or {}) or 'done'}")
                console.print(figures[-1], highlight=False, soft_wrap=True)
    if len(figures) > 1:
        console.print("\n".join(["What was computed:", *figures]), highlight=False, soft_wrap=True)


def _headline(project: Project[Any], name: str) -> dict[str, float] | None:
    """Return the figures of a stored result, fresh or stale, None where none can be read."""
    try:
        return store.read(project, name).value.headline()
    except UserError:
        return None


def _is_main(processes: Processes | None) -> bool:
    return processes is None or processes.rank == 0


def _broadcast(processes: Processes | None, value: Any) -> Any:
    return value if processes is None else processes.broadcast(value)


def _barrier(processes: Processes | None) -> None:
    if processes is not None:
        processes.barrier()


def _lock(project: Project[Any], name: str) -> str:
    # Beside the results rather than in the cache: whoever writes here must wait, whatever its cache.
    project.results.mkdir(parents=True, exist_ok=True)
    return str(project.results / f".{name}.lock")


@contextmanager
def _held(lock: str, processes: Processes | None) -> Iterator[None]:
    """Hold a lock in the main process while all are in the block."""
    with FileLock(lock) if _is_main(processes) else nullcontext():
        yield
        _barrier(processes)


def _compute(project: Project[Any], stage: Stage, console: Console, processes: Processes | None) -> None:
    is_main = _is_main(processes)
    if not stage.parallel and not is_main:
        return
    parts = keys.ingredients(project, stage.name)
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    commit, modified = provenance.commit(project.root, project.code)
    with progress.shown(stage.name, console) as report:
        value = _call(Call(project, stage, report, console, processes if stage.parallel else None))
    if not is_main:
        return
    for data in stage.data:
        keys.record_manifest(project, data)
    envelope = Envelope[stage.result](
        stage=stage.name,
        profile=project.name,
        key=keys.key(parts),
        provenance=Provenance(
            ingredients=parts,
            commit=commit,
            modified=modified,
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 1),
            seed=parts.config.get("seed"),
            device=provenance.device(),
            threads=provenance.threads(),
            python=platform.python_version(),
            versions=provenance.versions(project.packages),
        ),
        value=value,
    )
    store.write(project, envelope)


def _call(call: Call) -> Any:
    """Call the stage's function and mark its scratch folder as complete, which it is not while that runs."""
    project, stage, processes = call.project, call.stage, call.processes
    config = getattr(project.profile, stage.config)
    inputs = {name: store.read(project, name).value for name in stage.inputs}
    function = _function(stage)
    lent = project.lend(call)
    mark = call.scratch / _COMPLETE
    if call.is_main:
        mark.unlink(missing_ok=True)
        if processes is not None:
            # It writes what loading leaves on disk, before all processes read it.
            for data in stage.data:
                if data.load is not None:
                    data.load(call)
    _barrier(processes)
    value = function(config, inputs, lent)
    _barrier(processes)
    if call.is_main:
        mark.touch()
    return value


def _function(stage: Stage) -> Callable[[Any, Any, Any], Any]:
    module, _, name = stage.function.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise UserError(
            f"Stage {stage.name} needs the package {error.name}, which is not installed: "
            "run `make experiments`, or `pip install -r requirements.txt`."
        ) from error


def _scratch(project: Project[Any], name: str) -> Path:
    """Return the folder under `.cache/` that belongs to stage `name` at today's key; it exists."""
    folder = project.cache / name / keys.key(keys.ingredients(project, name))[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_whole(project: Project[Any], source: str, folder: Path) -> bool:
    """Tell whether a scratch folder has all that its stage left there."""
    names = (_COMPLETE, *store.read(project, source).value.artefacts())
    return all((folder / name).exists() for name in names)
