"""Faults that are injected into a run: kills, damaged files, full disks, other users, two runs at once.

The project has images, photos and a captioner of a user's own, and the results of older options, complete. A
fault strikes the run that computes them by today's options. Then nothing that was complete may be lost, what
is called fresh must be what an undisturbed run computes, and the next run must finish the work.
"""

import errno
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from experiments.project import open_project
from experiments.stages import STAGES
from pipeline import freshness, store
from pipeline.envelope import digest
from pipeline.errors import UserError
from tests.support.copies import ROOT
from tests.support.small_profiles import (
    CAPTIONER,
    IMAGES,
    PHOTOS,
    draw_classes,
    draw_photos,
    project,
    save_captioner,
)
from tests.torture.processes import (
    Before,
    Seen,
    experiments,
    ordinary,
    project_in,
    seen,
    start,
)
from tests.torture.trials import LOST, OTHERWISE, SILENT, TRACEBACK, Problem, Trial

RUN = ("run", "--profile", "mine")
CHANGED = {"cnn__seed": "7", "lora__seed": "8", "zero_shot.tower__seed": "9", "images__seed": "3"}
"""What the older options differ in: nearly everything has to be computed again."""
SMALL = {
    "lora__epochs": "2", "variants__ranks": "[1]", "generation__max_new_tokens": "4", "cnn__batch_size": "8",
    "vit__batch_size": "8", "captions__resamples": "100", "ablations__resamples": "100",
    "evidence__resamples": "100",
}  # fmt: skip
TIMED = {"audit"}
"""The stage whose value tells how fast others were, and differs from run to run."""
USERS = ("animals", "photos", "captions.csv", "captioner", "profiles")

OF_FOLDERS = {
    "prepared": "cnn", "hashes": "cnn", "embeddings": "zero_shot", "captioner_features": "generate",
    "/align/": "generate", "/lora/": "generate", "images.sha": "data_sets", "photos.sha": "data_sets",
    "captioner.sha": "align", ".cnn.lock": "cnn", "analysed": "cnn",
}  # fmt: skip
"""A stage that writes or reads what lies in a folder of several stages, or is called so."""

Values = dict[str, str]


@dataclass(frozen=True)
class World:
    """The project with results of older options, one with today's, and what their values are."""

    older: Path
    done: Path
    old: Values
    new: Values
    seconds: float
    written: tuple[str, ...]


def values(root: Path) -> Values:
    """Return the hash of the value of each result that can be read, without what computing it cost."""
    opened, found = open_project("mine", root), {}
    for name in opened.stages:
        try:
            value = store.read(opened, name).value
        except UserError:
            continue
        found[name] = digest(value, value.COSTS)
    return found


def world(folder: Path) -> World:
    """Make the project, and compute it by older options and by today's."""
    older = project_in(folder / "older")
    draw_classes(older / "animals", count=10, size=(20, 20))
    draw_photos(older, count=9)
    save_captioner(older / "captioner")
    sections = (IMAGES, PHOTOS, CAPTIONER)
    project(older, *sections, **SMALL, **CHANGED)
    finish(older)
    old = values(older)
    done = shutil.copytree(older, folder / "done", symlinks=True)
    for root in (older, done):
        project(root, *sections, **SMALL)
    listed = folder / "written"
    began = time.monotonic()
    finish(done, noting(listed))
    kinds = dict.fromkeys(kind_of(path) for path in listed.read_text().splitlines())
    return World(older, done, old, values(done), time.monotonic() - began, tuple(kinds))


def finish(root: Path, before: Before | None = None) -> None:
    """Run to the end, which must succeed."""
    found = seen(root, *RUN, before=before)
    assert found.code == 0, found.said


def noting(listed: Path) -> Before:
    """Return what lets a process note the names of all files that it writes whole."""

    def before() -> None:
        with_each_write(lambda path: listed.open("a").write(f"{path}\n"))

    return before


def with_each_write(call: Callable[[str], object]) -> None:
    """Call something with the name of each file that is about to be put in place, in this process."""
    fsync = os.fsync

    def noticed(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            call(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    os.fsync = noticed


def kind_of(path: str) -> str:
    """Return what kind of file this is: its path without keys, hashes, numbers, and temporary endings."""
    path = re.sub(r".*/(?:older|done|copy)/", "", path)
    path = re.sub(r"/\.([^/]+?)\.[^./]{8}\.part$", r"/\1", path)
    path = re.sub(r"\.npy\.\d+\.part$", ".npy", path)
    path = re.sub(r"[0-9a-f]{16,}", "KEY", path)
    path = re.sub(r"-[0-9a-f]{8}\.png$", ".png", path)
    return re.sub(r"\d+", "N", path)


def trials(made: World) -> Iterator[Trial]:
    """Yield all faults."""
    for number in range(8):
        yield fault("killed at a random moment", f"kill {number}", made, stopped_by(signal.SIGKILL))
    for number in range(3):
        yield fault("stopped by the keyboard", f"SIGINT {number}", made, stopped_by(signal.SIGINT))
        yield fault("ended by SIGTERM", f"SIGTERM {number}", made, stopped_by(signal.SIGTERM))
    for kind in made.written:
        yield fault("no room when a file is put in place", kind, made, no_room_for(kind))
    for limit in (0, 500, 6_000, 20_000, 150_000):
        yield fault("no file larger than", f"{limit} bytes", made, limited(limit))
    for stage in ("captions", "data_sets", "evidence"):
        yield fault("no file larger than", f"the result of {stage}", made, no_room_for_result(stage))
    for path in one_of_each_kind(made.done):
        for way, harm in WAYS.items():
            if path.stat().st_size == 0 and way in ("truncated", "emptied"):
                continue
            yield fault(f"a file {way}", kind_of(str(path)), made, damaged(path.relative_to(made.done), harm))
    for number in range(2):
        yield fault("two runs at once", f"pair {number}", made, twice)
    yield fault("two runs at once", "a run beside clean", made, beside_clean)
    for command, code in READ_ONLY.items():
        yield fault("a checkout that cannot be written", command, made, read_only(command, code))
    yield Trial("killed at each line that writes a result", "a toy", swept, is_fault=True)


Strike = Callable[[World, Path, Random], Iterator[Problem]]


def fault(kind: str, name: str, made: World, strike: Strike) -> Trial:
    """Return the trial of a fault on a copy of the world."""
    return Trial(kind, name, lambda folder, random: list(strike(made, folder, random)), is_fault=True)


def copy_of(root: Path, folder: Path) -> Path:
    """Copy a project into a folder, without its code, to which it keeps its links; return the copy."""
    return shutil.copytree(root, folder / "copy", symlinks=True)


def theirs(root: Path) -> dict[str, tuple[int, int]]:
    """Return what a user's own files are: none may be touched."""
    files = [path for part in USERS for path in (root / part, *(root / part).rglob("*")) if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def judged(made: World, root: Path, but: str = "") -> Iterator[Problem]:
    """Say what is lost or called fresh wrongly; `but` is the stage whose own file was damaged."""
    found, opened = values(root), open_project("mine", root)
    states = freshness.states(opened, opened.stages)
    for name, before in made.old.items():
        now, is_fresh = found.get(name), states[name].state == "fresh"
        if now is None and name != but:
            yield Problem(LOST, f"the result of {name}")
        elif is_fresh and now != made.new[name] and name not in TIMED:
            yield Problem(SILENT, f"{name} is called fresh, and is not what an undisturbed run computes")
        elif now not in (before, made.new[name]) and name not in TIMED and name != but:
            yield Problem(SILENT, f"{name} is neither as it was nor what an undisturbed run computes")


def finished(made: World, root: Path, *stages: str) -> Iterator[Problem]:
    """Run to the end, or these stages, and say what differs from an undisturbed run."""
    found = seen(root, *RUN, *stages)
    if found.has_traceback:
        yield Problem(TRACEBACK, found.said[-600:])
    elif found.code:
        yield Problem(OTHERWISE, f"the next run did not finish the work: {found.said[-400:]}")
    else:
        now = values(root)
        wanted = {*(stages or made.new)} - TIMED
        others = [name for name in made.new if name in wanted and now.get(name) != made.new[name]]
        if others:
            yield Problem(SILENT, f"not as in an undisturbed run: {', '.join(others)}")


def as_told(found: Seen, codes: set[int], said: str = "") -> Iterator[Problem]:
    """Say whether a command ended with one of these codes, in words and not with a traceback."""
    if found.has_traceback:
        yield Problem(TRACEBACK, found.said[-600:])
    elif found.code not in codes or not re.search(said, found.said, re.DOTALL):
        yield Problem(OTHERWISE, f"exit code {found.code}, not {codes}, or not {said!r}: {found.said[-400:]}")


def stopped_by(number: signal.Signals) -> Strike:
    """Return a fault: a signal at a random moment of the whole run."""

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.older, folder)
        before, running = theirs(root), start(root, experiments(*RUN))
        while running.runs() and not running.has_spoken():
            time.sleep(0.01)  # the first stage has begun
        deadline = time.monotonic() + random.uniform(0, made.seconds)
        while running.runs() and time.monotonic() < deadline:
            time.sleep(0.005)
        running.kill(number)
        ends = {signal.SIGINT: ({0, 130}, "Stopped; run|up to date")}.get(number, ({0, -number}, ""))
        yield from as_told(running.ended(), *ends)
        yield from judged(made, root)
        yield from finished(made, root)
        if theirs(root) != before:
            yield Problem(LOST, "files of the user's own were touched")

    return strike


def full(path: str) -> None:
    """Refuse as a full disk does, where a file is written that `path` names."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def refused(made: World, root: Path, before: Before, *arguments: str) -> Iterator[Problem]:
    """Run where the system refuses to write; say what is wrong, and finish without that."""
    yield from as_told(seen(root, *RUN, *arguments, before=before), {2})
    yield from judged(made, root)
    yield from finished(made, root, *(name for name in arguments if name in made.new))


def no_room_for(kind: str) -> Strike:
    """Return a fault: the disk is full when a file of this kind is put in place."""

    def before() -> None:
        with_each_write(lambda path: full(path) if kind_of(path) == kind else None)

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.older, folder)
        yield from refused(made, root, before, stage_of(kind))

    return strike


def stage_of(place: str) -> str:
    """Return a stage that writes or reads this file."""
    for part, stage in OF_FOLDERS.items():
        if part in place:
            return stage
    parts = [Path(part).stem for part in Path(place).parts]
    return next(part for part in parts[2:] if part in STAGES)


def at_most(limit: int) -> Before:
    """Return what forbids a process files that are larger."""

    def before() -> None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    return before


def limited(limit: int) -> Strike:
    """Return a fault: no file may be larger than this."""

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.older, folder)
        yield from refused(made, root, at_most(limit))

    return strike


def no_room_for_result(stage: str) -> Strike:
    """Return a fault: a result is there, and the same stage's next is a little too large for the disk."""

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.done, folder)
        limit = (root / "results" / "mine" / f"{stage}.json").stat().st_size - 200
        yield from refused(made, root, at_most(limit), stage, "--force")

    return strike


LIKE_OTHERS = re.compile(
    r"/(vit|zero_shot|ablations|captions|evidence|audit)[/.]|/(data_sets|align|generate)(\.json|/\w+/complete)"
    r"|embeddings|README|(test|validation)_\w+\.npy|(attention|full)|rank_\d+/|/\.(?!cnn|cache)\w+\.lock|\d\.png-|KEY.lock"
)
"""Files that are of a kind with others of another stage."""


def one_of_each_kind(done: Path) -> list[Path]:
    """Return one file of each kind under ``results/`` and ``.cache/``, a result of three."""
    found: dict[str, Path] = {}
    for path in sorted([*(done / "results").rglob("*"), *(done / ".cache").rglob("*")]):
        if path.is_file() and not LIKE_OTHERS.search(str(path)):
            found.setdefault(re.sub(r"\.[a-z_]+-KEY\.used", ".used", kind_of(str(path))), path)
    return list(found.values())


def truncated(path: Path, random: Random) -> None:
    """Cut a file off somewhere."""
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(1, len(content))] if len(content) > 1 else b"")


def flipped(path: Path, random: Random) -> None:
    """Flip one bit of a file; what is empty gets a byte."""
    content = bytearray(path.read_bytes() or b"\0")
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def a_folder(path: Path, random: Random) -> None:
    """Put a folder in the place of a file, with a thing of the user's own in it."""
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("mine")


WAYS: dict[str, Callable[[Path, Random], object]] = {
    "truncated": truncated,
    "emptied": lambda path, random: path.write_bytes(b""),
    "with a bit flipped": flipped,
    "replaced by a folder": a_folder,
    "that cannot be read": lambda path, random: path.chmod(0),
}


def damaged(place: Path, harm: Callable[[Path, Random], object]) -> Strike:
    """Return a fault: a file of a finished project is damaged, and a run follows that would use it."""

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.done, folder)
        harm(root / place, random)
        parts = place.parts
        if parts[0] == ".cache":
            (root / "results" / "mine" / f"{stage_of(str(place))}.json").unlink()
        own = place.stem if parts[0] == "results" and len(parts) == 3 else place.parent.name
        if parts[0] == "results":
            yield from judged(made, root, but=own)
        found = seen(root, *RUN, before=ordinary)
        yield from as_told(found, {0, 2})
        if found.code == 2:
            if not any(part in found.said for part in (place.name, place.parent.name)):
                yield Problem(OTHERWISE, f"the file is not named: {found.said[-300:]}")
            if harm is a_folder and not (root / place / "mine.txt").exists():
                yield Problem(LOST, "what the user had put there")
            _ = (
                shutil.rmtree(root / place)
                if (root / place).is_dir()
                else (root / place).unlink(missing_ok=True)
            )
        yield from finished(made, root)

    return strike


def twice(made: World, folder: Path, random: Random) -> Iterator[Problem]:
    """Start two runs, one a little after the other."""
    root = copy_of(made.older, folder)
    one = start(root, experiments(*RUN))
    time.sleep(random.uniform(0, made.seconds / 2))
    other = start(root, experiments(*RUN))
    for process in (one, other):
        yield from as_told(process.ended(), {0})
    yield from judged(made, root)
    yield from finished(made, root)


def beside_clean(made: World, folder: Path, random: Random) -> Iterator[Problem]:
    """Clean again and again beside a run."""
    root = copy_of(made.older, folder)
    running = start(root, experiments(*RUN))
    while running.runs():
        yield from as_told(seen(root, "clean"), {0, 2})
    yield from as_told(running.ended(), {0, 2})
    yield from judged(made, root)
    yield from finished(made, root)


READ_ONLY = {
    "status": 0, "status --json": 0, "status --strict": 0, "why cnn": 0, "run": 0, "check": 0,
    "run cnn --force": 2, "new other": 2, "clean": 2, "reproduce cnn": 2,
}  # fmt: skip


def read_only(command: str, code: int) -> Strike:
    """Return a fault: an ordinary user's command in a checkout of another's."""

    def strike(made: World, folder: Path, random: Random) -> Iterator[Problem]:
        root = copy_of(made.done, folder)
        paths = [path for path in (root, *root.rglob("*")) if not path.is_symlink()]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = [(str(path), path.stat().st_mtime_ns) for path in paths]
        word, *rest = command.split()
        profile = () if word in ("new", "clean") else ("--profile", "mine")
        yield from as_told(seen(root, word, *rest, *profile, before=ordinary), {code})
        if [(str(path), path.stat().st_mtime_ns) for path in paths] != before:
            yield Problem(LOST, "files were touched")
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)

    return strike


def swept(folder: Path, random: Random) -> list[Problem]:
    """Kill a toy's run at each executed line of the code that writes results."""
    program = ROOT / "tests" / "support" / "kill_sweep.py"
    done = subprocess.run(
        [sys.executable, program, folder], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return [Problem(LOST, sentence) for sentence in found["wrong"]]
