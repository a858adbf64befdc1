"""Commands that begin where importing has ended: in copies of a Python that has read PyTorch and its like.

A process of its own reads the libraries once and forks for each command, which reads what is ours from its
own folder, as ``python -m`` does. That spares each the ten seconds of importing; that libraries can be read
in the first place, and in the order in which we do, the commands of `tests.support.commands` prove.
"""

import atexit
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

LIBRARIES = (
    *("torch", "torchvision", "transformers", "peft", "open_clip", "timm", "datasets", "accelerate"),
    *("scipy.stats", "pydantic", "typer"),
)
_PATIENCE = 300
"""Seconds within which the libraries are read."""


class Warm:
    """A command that runs: ``Warm(folder, "experiments", "run")``."""

    def __init__(self, folder: Path, module: str, *arguments: str, **environment: str) -> None:
        self.output = tempfile.TemporaryDirectory()
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(_server())
        asked = {
            "folder": str(folder), "module": module, "arguments": arguments,
            "environment": {**os.environ, **environment}, "output": self.output.name,
        }  # fmt: skip
        self.connection.sendall(json.dumps(asked).encode() + b"\n")
        self.told = self.connection.makefile()
        self.pid = int(self.told.readline())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Return what the command said, and its exit code, once it has ended."""
        code = int(self.told.readline())
        out, err = (Path(self.output.name, name).read_text(encoding="utf-8") for name in ("out", "err"))
        self.output.cleanup()
        self.told.close()
        self.connection.close()
        return subprocess.CompletedProcess([], code, out, err)


def run_warm(
    folder: Path, module: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a module in a folder, as `tests.support.commands.python` does with ``-m``; return what it said."""
    return Warm(folder, module, *arguments, **environment).wait()


@cache
def _server() -> str:
    """Return the address of this process's own server, which ends with it."""
    folder = tempfile.TemporaryDirectory()
    address = f"{folder.name}/socket"
    process = subprocess.Popen([sys.executable, __file__, address], stdin=subprocess.DEVNULL)
    atexit.register(folder.cleanup)
    atexit.register(process.kill)
    for _ in range(10 * _PATIENCE):
        if Path(address).exists():
            return address
        assert process.poll() is None, "the libraries cannot be read"
        time.sleep(0.1)
    raise TimeoutError


def _serve(address: str) -> None:
    parent = os.getppid()
    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that mind a command end by themselves
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}-bound")
        listener.listen()
        Path(f"{address}-bound").rename(address)
        listener.settimeout(5)
        while os.getppid() == parent:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                connection.setblocking(True)
                _mind(connection)
            connection.close()


def _mind(connection: socket.socket) -> None:
    """Run what is asked for and tell its number and, once it has ended, its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile() as asked:
        request = json.loads(asked.readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(**request)
        sys.exit()
    connection.sendall(f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    connection.sendall(f"{code}\n".encode())
    os._exit(0)


def _become(folder: str, module: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{output}/{name}", os.O_WRONLY | os.O_CREAT), number)
    sys.argv = [module, *arguments]
    sys.path[0] = folder
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
