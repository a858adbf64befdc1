"""Bringing results up to date: the only place where a stage is called."""

import datetime
import importlib
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock
from rich.console import Console

from pipeline import freshness, keys, progress, provenance, store
from pipeline.closure import Code
from pipeline.envelope import Envelope, Ingredients, Provenance, digest
from pipeline.errors import NOT_WRITABLE, UserError, first_few, reason
from pipeline.files import sha256_of, write_whole
from pipeline.headlines import beside
from pipeline.project import Project
from pipeline.result import Attachment, Result
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

    `processes` are those that run the stage together, None for one alone. `ingredients` are all that the
    result's key is made of, `code` is the code of the run. `precision` is that of the stored result where the
    stage runs again for what it left in `.cache`, or is reproduced, else None: the stage is to choose.
    """

    project: Project[Any]
    stage: Stage
    progress: progress.Report
    console: Console
    processes: Processes | None
    ingredients: Ingredients
    code: Code
    precision: str | None = None

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes."""
        return _is_main(self.processes)

    @cached_property
    def scratch(self) -> Path:
        """The stage's own folder under `.cache/`; it exists."""
        return _scratch(self.project, self.stage.name, keys.key(self.ingredients))

    @property
    def shared(self) -> Path:
        """The folder under `.cache/` for what survives a change of key."""
        return self.project.cache

    def say(self, line: str) -> None:
        """Print a line under the stage's name."""
        progress.say(self.console, f"  {self.stage.name}: {line}")

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
        value = load(self)
        if self.is_main:
            keys.require_same(self.project, self.data(name), self.ingredients.data[name], self.code)
        return value

    def manifest(self, name: str) -> tuple[str, int] | None:
        """Return the hash of the manifest of a user's own files among the stage's data, and their number."""
        return keys.manifest_digest(self.project, self.data(name))

    def code_of(self, module: str) -> str:
        """Return one hash of a module and of all first-party code that it reaches."""
        return keys.code_digest(self.code, module)

    def attach(self, file: str, content: bytes) -> Attachment:
        """Write a small file beside the stage's result."""
        if self.is_main:
            return store.attach(self.project, self.stage.name, file, content)
        return Attachment.of(file, content)

    def artefact(self, source: str) -> Path:
        """Return the scratch folder of an input with what its stage left there: it was made sure of."""
        if source not in self.stage.artefacts:
            raise ValueError(f"stage {self.stage.name} does not declare {source} among its artefacts")
        found = self.ingredients.inputs[source]
        assert found is not None, "what may be missing leaves nothing"
        return _scratch(self.project, source, found.key)


@dataclass(frozen=True)
class _Run:
    """One run: its code is as it was when it began, and `fresh` are the stages that it found or made fresh.

    Those in `force` are computed even so. `overtaken` are stages whose code, data or inputs changed while
    they were computed, `figures` a line for each that was computed, `held` the modules that were found to be
    compiled from their files.
    """

    project: Project[Any]
    console: Console
    processes: Processes | None
    code: Code
    precisions: Mapping[str, str | None]
    force: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    overtaken: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    figures: list[str] = field(default_factory=list)

    @property
    def is_main(self) -> bool:
        """Whether this is the process that decides and writes."""
        return _is_main(self.processes)

    def decided(self, decide: Callable[[], Any]) -> Any:
        """Return what the main process decides."""
        return _broadcast(self.processes, decide() if self.is_main else None)

    def state(self, name: str) -> freshness.Freshness:
        """Return the state of a stage by the code of this run."""
        return self.decided(lambda: freshness.of(self.project, name, self.code))

    def say(self, line: str) -> None:
        """Print a line."""
        progress.say(self.console, line)


def bring_up_to_date(
    project: Project[Any],
    names: Iterable[str],
    console: Console,
    processes: Processes | None = None,
    *,
    force: Collection[str] = (),
    code: Code | None = None,
    precisions: Mapping[str, str | None] | None = None,
) -> bool:
    """Compute the named stages and what they build on, as far as they are stale or missing, or in `force`.

    Return whether they are up to date: nothing that they follow changed meanwhile.

    A stage in `force` is computed from an empty scratch folder although its result is fresh; if such a run is
    killed, the next goes on with it. In the end the figures of what was computed are printed, beside the
    older ones where a readable result stood there before.

    An input that may be missing is left so. Each result is written as soon as it is there. A second run at
    the same time waits for the first at each stage, then finds the result fresh. Of several processes the
    main one decides and writes, and has a `console`.

    The code of all these stages is what it is now, or what it was when `code` first looked at it: of what
    changes later, nothing is run unnoticed. `precisions` names stages that are to compute at a given one.

    Raises:
        UserError: if a stage is unknown or cannot be run, if its code changed before it was imported, or if
            not all processes have the same code and options.
    """
    code = code or Code(project.root)
    run = _Run(project, console, processes, code, precisions or {}, {*force})
    names = [*names]
    identity = _identity(run, project.with_inputs(names))
    if _broadcast(processes, identity) != identity:
        raise UserError(
            "This process has other code or another profile than the main one: they changed while the "
            "processes were started; start them again."
        )
    while waiting := [name for name in project.stages if name in names and name not in run.fresh]:
        _bring_up_to_date(run, waiting[0])  # after a later one, it may have to be looked at again
    if len(run.figures) > 1:
        run.say("\n".join(["What was computed:", *run.figures]))
    if run.overtaken:
        run.say(f"Run the same command again: {', '.join(run.overtaken)} became stale while it ran.")
    return not run.overtaken


def _identity(run: _Run, names: Iterable[str]) -> str:
    """Fix the code of stages, and return a hash of it and of their options."""
    stages = [run.project.stages[name] for name in names]
    found = [
        (
            getattr(run.project.profile, stage.config).model_dump(mode="json"),
            keys.code_of(run.project, stage, run.code),
        )
        for stage in stages
    ]
    return digest(found)


def _bring_up_to_date(run: _Run, name: str) -> None:
    """Compute a stage and what it builds on, as far as they are not fresh."""
    if name in run.fresh:
        return
    stage = run.project.stages[name]
    found = run.state(name)
    if name not in run.force and run.is_main:
        _put_back(run, name, found.key)
    # A result that is fresh needs no inputs: one that it was made from may be gone.
    if name in run.force or found.state != "fresh":
        _bring_inputs(run, stage)
        for source in stage.artefacts:
            _make_sure_of_artefacts(run, source)
        _bring_inputs(run, stage)  # what was left otherwise than before is another input
        with _held(run, name):
            state = run.state(name)
            if name in run.force or state.state != "fresh":
                why = first_few(state.why) or "it is computed again all the same"
                run.say(f"{name} is {state.state}: {why}")
                forced = name in run.force
                with _anew(run, _scratch(run.project, name, state.key)) if forced else nullcontext():
                    _compute(run, stage)
    run.force.discard(name)
    run.fresh.add(name)


@contextmanager
def _anew(run: _Run, scratch: Path) -> Iterator[None]:
    """Set aside what a stage left, while it is computed again although it is fresh; it is back if that fails.

    What is not complete was left by a run that was killed, which this one goes on with.
    """
    aside = _aside(scratch)
    if run.is_main and (scratch / _COMPLETE).exists():
        _remove(aside)
        scratch.rename(aside)
    if not run.is_main or not aside.exists():
        yield
        return
    try:
        yield
    except UserError:
        _remove(scratch)
        aside.rename(scratch)
        raise
    _remove(aside)


def _put_back(run: _Run, name: str, key: str) -> None:
    """Put back what a forced run that was killed had set aside, unless it was done; then that goes."""
    scratch = run.project.cache / name / key[:16]
    if not _aside(scratch).exists():
        return
    with FileLock(run.project.results / f".{name}.lock"):  # which a run that goes on holds
        if not (scratch / _COMPLETE).exists() and (_aside(scratch) / _COMPLETE).exists():
            _remove(scratch)
            _aside(scratch).rename(scratch)
        _remove(_aside(scratch))


def _aside(scratch: Path) -> Path:
    return scratch.with_name(f"{scratch.name}-before")


def _remove(folder: Path) -> None:
    """Remove a folder, or a link to one that a user has elsewhere, which stays there."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _bring_inputs(run: _Run, stage: Stage) -> None:
    for source in stage.inputs:
        if source not in stage.optional or run.state(source).state != "missing":
            _bring_up_to_date(run, source)


def _make_sure_of_artefacts(run: _Run, name: str) -> None:
    """See to it that what a fresh stage left lies in its scratch folder, as its result says.

    If it is gone or altered, the stage runs again for it. Should it then leave something else, its result is
    written anew, and what was made from the old one is stale.
    """
    stage = run.project.stages[name]
    _bring_up_to_date(run, name)
    if not run.decided(lambda: _harm(run, name)):
        return
    _bring_inputs(run, stage)
    for source in stage.artefacts:
        _make_sure_of_artefacts(run, source)
    _bring_up_to_date(run, name)
    with _held(run, name):
        harm = run.decided(lambda: _harm(run, name))
        if harm:
            run.say(f"what {name} left in .cache {harm}, so it runs again")
            is_written = _compute(run, stage, again=True)
            if run.decided(lambda: is_written):
                run.fresh.clear()


def _harm(run: _Run, name: str) -> str:
    """Say what befell the artefacts of a fresh stage, nothing if they are as it left them."""
    stored = store.read(run.project, name)
    found = _left(_scratch(run.project, name, stored.key), stored.value)
    if found is None:
        return "is gone"
    others = freshness.differing(found, stored.artefacts)
    return f"was altered ({first_few(others, 1, ', ')})" if others else ""


def _left(folder: Path, value: Result) -> dict[str, str] | None:
    """Return the SHA-256 of each file of a result's artefacts by name, None if one is gone from `folder`."""
    paths = [folder / name for name in value.artefacts()]
    if not all(path.exists() for path in (folder / _COMPLETE, *paths)):
        return None
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return {file.relative_to(folder).as_posix(): sha256_of(file) for file in files if file.is_file()}


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


@contextmanager
def _held(run: _Run, name: str) -> Iterator[None]:
    """Hold the lock of a stage in the main process while all are in the block; its result can be written."""
    # Beside the results rather than in the cache: whoever writes here must wait, whatever its cache.
    results = run.project.results
    if run.is_main:
        results.mkdir(parents=True, exist_ok=True)
        store.require_place(run.project, name)
    with FileLock(results / f".{name}.lock") if run.is_main else nullcontext():
        yield
        _barrier(run.processes)


def _compute(run: _Run, stage: Stage, again: bool = False) -> bool:
    """Compute the result of a stage and write it; tell, in the main process, whether it was written.

    If it runs `again` only for what it left in `.cache`, at the same precision, the stored result stays where
    that comes out the same.
    """
    project = run.project
    if not stage.parallel and not run.is_main:
        return False
    processes = run.processes if stage.parallel else None
    if run.is_main:
        for data in stage.data:
            data.fetch(getattr(project.profile, data.name), project.root, project.downloads, run.say)
    # All that the key follows is settled here, whatever happens on disk from now on.
    today = keys.Today(run.code)
    parts = keys.made_from(project, stage.name, today) if run.is_main else None
    parts = _broadcast(processes, parts)
    stored = store.read(project, stage.name) if again and run.is_main else None
    precision = stored.value.precision_used() if stored else run.precisions.get(stage.name)
    precision = _broadcast(processes, precision)
    function = _imported(run, stage)
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    commit, modified = provenance.commit(project.root, project.code)
    with progress.shown(stage.name, run.console) as report:
        call = Call(project, stage, report, run.console, processes, parts, run.code, precision)
        value = _call(call, function)
    if not run.is_main:
        return False
    _assert_same_data(run, stage, today)
    for source in stage.artefacts:
        if harm := _harm(run, source):
            raise UserError(f"What {source} left in .cache {harm} while {stage.name} used it: run it again.")
    artefacts = _left(call.scratch, value)
    if artefacts is None:
        raise ValueError(f"stage {stage.name} did not leave what its result names: {value.artefacts()}")
    if stored and artefacts == stored.artefacts:
        run.say(f"{stage.name}: it left the same as before, and its result stays")
        return False
    _note_what_changed(run, stage, parts)
    key = keys.key(parts)
    envelope = Envelope[stage.result](
        stage=stage.name,
        profile=project.name,
        key=key,
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
        artefacts=artefacts,
        value=value,
    )
    older = _headline(project, stage.name)
    store.write(project, envelope)
    if again:
        run.say(
            f"{stage.name}: it left something else than before, so its result is written anew, and what was "
            "made from the old one is stale"
        )
    run.figures.append(f"{stage.name}: {beside(older, value.headline()) or 'done'}")
    run.say(run.figures[-1])
    return True


def _assert_same_data(run: _Run, stage: Stage, before: keys.Today) -> None:
    """Check that the data of a stage are the files that they were when its key was fixed.

    They are read bit by bit while it runs, so that nobody can tell what others had come of.

    Raises:
        UserError: if one was written or replaced, even by what was there before.
    """
    now = keys.Today(run.code)
    for data in stage.data:
        try:
            found = keys.identity(run.project, data, now)
        except UserError:
            continue  # they are gone: what was read before is what they were
        known = keys.identity(run.project, data, before)
        if (found.sha256, found.state) != (known.sha256, known.state) and not found.absent:
            raise UserError(
                f"What [{data.name}] names changed while {stage.name} was computed from it, so that its "
                "result is not kept: run the same command again."
            )


def _note_what_changed(run: _Run, stage: Stage, parts: Ingredients) -> None:
    """Say what changed under a result while it was computed; record the manifests of data that did not."""
    try:
        now = keys.ingredients(run.project, stage.name)
        changes, same_data = freshness.changed(parts, now), now.data == parts.data
    except UserError as error:  # a file in the middle of being edited
        changes, same_data = [str(error)], False
    if same_data:
        for data in stage.data:
            keys.record_manifest(run.project, data)
    if changes:
        run.overtaken.append(stage.name)
        run.say(
            f"{stage.name}: this changed while it ran, so its result is stored under the key of what it was "
            f"made from, and is stale: {first_few(changes)}"
        )


def _call(call: Call, function: Callable[[Any, Any, Any], Any]) -> Any:
    """Call the stage's function and mark its scratch folder as complete, which it is not while that runs."""
    project, stage, processes = call.project, call.stage, call.processes
    config = getattr(project.profile, stage.config)
    inputs = {
        name: None if found is None else store.read(project, name).value
        for name, found in call.ingredients.inputs.items()
    }
    lent = project.lend(call)
    mark = call.scratch / _COMPLETE
    if call.is_main:
        mark.unlink(missing_ok=True)
        if processes is not None:
            # It writes what loading leaves on disk, before all processes read it.
            for data in stage.data:
                if data.load is not None:
                    with _keeping_the_traceback(call):
                        data.load(call)
    _barrier(processes)
    with _naming_packages(stage), _keeping_the_traceback(call):
        value = function(config, inputs, lent)
    _barrier(processes)
    if call.is_main:
        mark.touch()
    return value


def _imported(run: _Run, stage: Stage) -> Callable[[Any, Any, Any], Any]:
    """Return a stage's function, with all modules that it reaches imported from the files that are its code.

    Raises:
        UserError: if one of these files changed since the run began, or a package is not installed.
    """
    code = keys.code_of(run.project, stage, run.code)
    _assert_unchanged(run, stage, code)
    module, _, name = stage.function.partition(":")
    with _naming_packages(stage):
        function = getattr(importlib.import_module(module), name)
    for module in code:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            continue  # what is imported only when it is needed may never be; files and functions are none
    _assert_unchanged(run, stage, code)
    _assert_compiled_from_what_is_there(code.keys() - run.held)  # most are those of the stage before, too
    run.held.update(code)
    return function


def _assert_compiled_from_what_is_there(code: Collection[str]) -> None:
    """Hold the code that Python loaded against the files.

    Python takes the compiled copy that it kept of a file for the file's own as long as the second of its last
    change and its size are the same, so that an edit which keeps both is not seen.

    Raises:
        UserError: if it did so; the copies are deleted.
    """
    outdated = []
    for name in code:
        loader = getattr(sys.modules.get(name), "__loader__", None)
        if not isinstance(loader, SourceFileLoader):
            continue
        copy = Path(cache_from_source(loader.path))
        if copy.is_file() and loader.get_code(name) != loader.source_to_code(
            loader.get_data(loader.path), loader.path
        ):
            copy.unlink(missing_ok=True)
            outdated.append(name)
    if outdated:
        raise UserError(
            f"Python loaded compiled copies of older code ({first_few(outdated, 3, ', ')}), since the files "
            "that changed look the same to it; the copies are deleted: run the same command again."
        )


def _assert_unchanged(run: _Run, stage: Stage, code: dict[str, str]) -> None:
    now = keys.code_of(run.project, stage, Code(run.project.root))
    others = [module for module in sorted({*code, *now}) if code.get(module) != now.get(module)]
    if others:
        raise UserError(
            f"The code of stage {stage.name} changed after this run began ({first_few(others, 3, ', ')}): "
            "run the same command again."
        )


@contextmanager
def _naming_packages(stage: Stage) -> Iterator[None]:
    """Turn the lack of a package into a sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(
            f"Stage {stage.name} needs the package {error.name}, which is not installed: "
            "run `make experiments`, or `pip install -r requirements.txt`."
        ) from error


@contextmanager
def _keeping_the_traceback(call: Call) -> Iterator[None]:
    """Turn an error that no stage foresaw into a sentence that names its cause and the file that tells all.

    What the system refuses, such as room on a disk, what stands in the place of a file in `.cache`, and a
    package that is not installed have sentences of their own.
    """
    try:
        yield
    except (UserError, ModuleNotFoundError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NOT_WRITABLE:
            raise
        if place := _in_the_way(call.project.cache, error):
            raise UserError(
                f"{place} is no file that can be used ({reason(error)}): delete it, then run the same "
                "command again."
            ) from error
        first = next(iter(str(error).strip().splitlines()), "")
        kind = type(error).__name__
        said = f"{kind}: {reason(Exception(first))}" if first else kind
        file = call.scratch.parent / ("traceback.txt" if call.is_main else "traceback-of-another-process.txt")
        where = f"{file} holds the whole traceback"
        try:
            write_whole(file, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
        except OSError as refused:
            where = f"its traceback could not be written ({refused.strerror})"
        raise UserError(f"Stage {call.stage.name} failed ({said}): {where}.") from error


def _in_the_way(cache: Path, error: Exception) -> Path | None:
    """Return what stands in the place of a file in `.cache` and is none: a folder, or a broken link."""
    if isinstance(error, OSError):
        for name in (error.filename, error.filename2):
            path = Path(str(name))
            if name and path.is_relative_to(cache) and (path.is_dir() or path.is_symlink()):
                return path
    return None


def _scratch(project: Project[Any], name: str, key: str) -> Path:
    """Return the folder under `.cache/` that belongs to stage `name` at a key; it exists."""
    folder = project.cache / name / key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
