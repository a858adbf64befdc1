"""Timing two commands that do the same, in turns, so that a busy minute of the machine is both's."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import Spread


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the folder it runs in, and what is added to its surroundings.

    `before` is called before each round and is not timed.
    """

    arguments: Sequence[str]
    folder: Path
    surroundings: Mapping[str, str] | None = None
    before: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds by the clock, seconds of computing, and the most memory in bytes.

    Computing and memory are those of the process and of all that it waited for.
    """

    wall: float
    cpu: float
    memory: int


def python(*arguments: str) -> list[str]:
    """Return the arguments of this very interpreter."""
    return [sys.executable, *arguments]


def taken(command: Command) -> Taken:
    """Run a command and return what it took.

    Raises:
        RuntimeError: if it fails, with what it said.
    """
    command.before()
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.arguments, cwd=command.folder, env=os.environ | dict(command.surroundings or {}),
            stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(command.arguments)} ended with {process.returncode}:\n{text}")
    return Taken(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def in_turns(
    ours: Command, theirs: Command, rounds: int, figure: Callable[[Taken], float]
) -> tuple[Spread, Spread]:
    """Run both in turns, after a round of each that is not counted; return their figures."""
    pairs = [(figure(taken(ours)), figure(taken(theirs))) for _ in range(rounds + 1)][1:]
    return Spread.of([pair[0] for pair in pairs]), Spread.of([pair[1] for pair in pairs])
