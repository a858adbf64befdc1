"""Commands, run as a user runs them: each in a process and a folder of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with what `environment` adds to that of the tests; return what it said."""
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def python(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the same way."""
    return run(folder, sys.executable, *arguments, **environment)


def stopped(
    begun: Path, folder: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python in the same way, and press Ctrl-C once there is the file `begun`."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        told, said = process.communicate(timeout=50)
    finally:
        process.kill()
    return subprocess.CompletedProcess(command, process.returncode, told, said)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Take from everyone, within the block, the right to write in a folder and all that is in it."""
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(0o755)


def as_an_ordinary_user(
    folder: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python without root's right to write everywhere, in a folder that may be `locked`."""
    return subprocess.run(
        (sys.executable, *arguments), cwd=folder, env=os.environ | environment, capture_output=True,
        text=True, check=False, preexec_fn=_drop_privileges if os.getuid() == 0 else None,
    )  # fmt: skip


def _drop_privileges() -> None:
    for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by PR_CAPBSET_DROP
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
