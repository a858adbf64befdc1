"""Commands, run as a user runs them: each in a process and a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with what `environment` adds to that of the tests; return what it said."""
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def python(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the same way."""
    return run(folder, sys.executable, *arguments, **environment)
