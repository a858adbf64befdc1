"""Giving ``accelerate launch`` the processes that it was asked for, on a machine without GPUs.

There it starts a single process, whatever its ``--num_processes`` says (accelerate 1.15,
``simple_launcher``), unless ``--multi_gpu`` makes it start all of them, which then compute on the CPU.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from pipeline.errors import UserError


def start_those_asked_for(environ: Mapping[str, str] = os.environ) -> int | None:
    """Start all processes if accelerate's launcher was asked for several and has started this one alone.

    Returns:
        The exit code of the processes, for this one to end with; None if it is to go on itself.

    Raises:
        UserError: if it cannot be found out how many were asked for.
    """
    # The launcher tells a process where the others meet only if there are to be others.
    if "ACCELERATE_MIXED_PRECISION" not in environ or "MASTER_PORT" not in environ or "RANK" in environ:
        return None
    count = _asked_for(_launcher())
    if count is None:
        raise UserError(
            "accelerate launch has started one process of several, as it does on a machine without GPUs: add "
            "--multi_gpu, which starts them all (they compute on the CPU)."
        )
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(count)]
    rest = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "-m", "experiments"]
    own = {name: value for name, value in environ.items() if not name.startswith(("ACCELERATE", "MASTER"))}
    return subprocess.run([sys.executable, *launch, *rest, *sys.argv[1:]], env=own, check=False).returncode


def _launcher() -> Sequence[str]:
    """Return the command line of the process that started this one."""
    import psutil

    parent = psutil.Process().parent()
    return parent.cmdline() if parent else ()


def _asked_for(command: Sequence[str]) -> int | None:
    """Return the number of processes that a launcher's command line asks for."""
    for word, following in zip(command, [*command[1:], ""], strict=True):
        name, _, value = word.replace("-", "_").partition("=")
        if name == "__num_processes" and (value or following).isdigit():
            return int(value or following)
    return None
