"""Commands of the project, each in a process forked from one that has imported the libraries already.

A process that imports torch costs seconds; a fork of one costs nearly nothing, and is killed, limited and
made an ordinary user's like any other.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments import __main__ as command_line
from tests.support.copies import ROOT

CODE = ("pipeline", "experiments", "data", "tests")
PATIENCE = 400.0
"""Seconds after which a command counts as one that does not end."""
MOST_SAID = 1_000_000
"""Bytes that a command may say."""
ENDLESS = "it did not end"

Before = Callable[[], object]
"""What a process does to itself before its command: limits, other users, faults."""


@dataclass(frozen=True)
class Seen:
    """What came of a command: its exit code, negative where a signal ended it, and all that it said."""

    code: int
    said: str

    @property
    def has_traceback(self) -> bool:
        """Whether an error was shown as Python shows it, or a crash of the interpreter."""
        return any(
            sign in self.said for sign in ("Traceback (most recent call last)", "Fatal Python error", ENDLESS)
        ) or self.code in {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE}


@dataclass(frozen=True)
class Started:
    """A command that runs; what it says goes to a pipe, which no limit of a file's size binds."""

    pid: int
    heard: int

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, to a process that may be gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def runs(self) -> bool:
        """Tell whether it has not ended; it is not yet forgotten then."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def has_spoken(self) -> bool:
        """Tell whether it has said anything."""
        return bool(select.select([self.heard], [], [], 0)[0])

    def ended(self, patience: float = PATIENCE) -> Seen:
        """Wait for its end, which is hastened where it does not come."""
        deadline, late = time.monotonic() + patience, ""
        while self.runs():
            if time.monotonic() > deadline:
                self.kill()
                late = f"\n{ENDLESS}"
            time.sleep(0.01)
        _, status = os.waitpid(self.pid, 0)
        try:
            said = os.read(self.heard, MOST_SAID).decode("utf-8", "replace")
        except BlockingIOError:  # nothing, and a process that it started lives on
            said = ""
        os.close(self.heard)
        return Seen(os.waitstatus_to_exitcode(status), said + late)


def start(root: Path, call: Callable[[], object], before: Before | None = None) -> Started:
    """Fork, and in the new process call something in the folder `root`."""
    sys.stdout.flush()
    sys.stderr.flush()
    heard, said = os.pipe()
    fcntl.fcntl(said, fcntl.F_SETPIPE_SZ, MOST_SAID)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: those of the libraries are idle
        pid = os.fork()
    if pid:
        os.close(said)
        os.set_blocking(heard, False)
        return Started(pid, heard)
    code = 1
    try:
        os.chdir(root)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if before:
            before()
        call()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:  # whatever happens, this process must not go on as if it were its parent
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def experiments(*arguments: str | Path) -> Callable[[], object]:
    """Return the call of ``python -m experiments`` with these arguments."""

    def call() -> None:
        sys.argv = ["experiments", *map(str, arguments)]
        command_line.main()

    return call


def seen(root: Path, *arguments: str | Path, before: Before | None = None) -> Seen:
    """Run ``python -m experiments`` in a folder to its end."""
    return start(root, experiments(*arguments), before).ended()


def ordinary() -> None:
    """Give up root's right to read and write everywhere: what files allow their owner binds from now on."""
    if os.getuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in _EVERYWHERE:
            libc.prctl(24, capability, 0, 0, 0)  # for programs that this one starts: PR_CAPBSET_DROP
        about, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        libc.capget(about, held)
        for place in (0, 1):  # effective, permitted
            held[place] &= ~sum(1 << capability for capability in _EVERYWHERE)
        if libc.capset(about, held):
            raise OSError(ctypes.get_errno(), "this process stays root")


_EVERYWHERE = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


def project_in(folder: Path) -> Path:
    """Make a folder a project: its code is that of this one, by links, and nothing else is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in CODE:
        (folder / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "profiles", folder / "profiles")
    return folder
