"""Timing two commands that do the same, in turns, so that a busy minute of the machine is both's."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import Spread


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the folder it runs in, and what is added to its surroundings."""

    arguments: Sequence[str]
    folder: Path
    surroundings: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds by the clock, seconds of computing, and the most memory in bytes.

    Computing and memory are those of the process and of all that it waited for.
    """

    wall: float
    cpu: float
    memory: int


def duration(work: Callable[[], None]) -> float:
    """Return the wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def python(*arguments: str) -> list[str]:
    """Return the arguments of this very interpreter."""
    return [sys.executable, *arguments]


def taken(command: Command) -> Taken:
    """Run a command and return what it took.

    A small process starts it, since a system counts what the parent held as memory of a child.

    Raises:
        RuntimeError: if it fails, with what it said.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, *command.arguments], cwd=command.folder,
        env=os.environ | dict(command.surroundings or {}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    told, _, said = done.stdout.partition("\n")
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command.arguments)} ended with {done.returncode}:\n{told}{said}{done.stderr}"
        )
    wall, cpu, memory = json.loads(told)
    return Taken(wall, cpu, memory * 1024)


_LAUNCHER = """
import os, subprocess, sys, tempfile, time
with tempfile.TemporaryFile() as said:
    start = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=said, stderr=subprocess.STDOUT)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    said.seek(0)
    print([wall, used.ru_utime + used.ru_stime, used.ru_maxrss], flush=True)
    sys.stdout.buffer.write(said.read())
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def in_turns(
    ours: Command, theirs: Command, rounds: int, figure: Callable[[Taken], float]
) -> tuple[Spread, Spread]:
    """Run both in turns, after a round of each that is not counted; return their figures."""
    pairs = [(figure(taken(ours)), figure(taken(theirs))) for _ in range(rounds + 1)][1:]
    return Spread.of([pair[0] for pair in pairs]), Spread.of([pair[1] for pair in pairs])
