"""How long the pages take beside real Quarto, and what they take of memory and of imports."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pairs import Command, in_turns, python, taken
from benchmarks.table import Found, Spread

ROUNDS = 5
MADE = (".git", ".venv", ".cache", "_site", "_figures", "__pycache__", "smoke")
"""What a copy of the project is made without: it makes these itself."""
BUILTIN = ("-m", "reporting.render", "--renderer", "builtin")
CELL = "import reporting.document"


def whole() -> Found:
    """Compare a render of all pages, HTML and PDF, with Quarto's of the same pages.

    Raises:
        RuntimeError: if Quarto is not on PATH.
    """
    if shutil.which("quarto") is None:
        raise RuntimeError("Put quarto on PATH: this row compares with it.")
    with copy() as ours, copy() as theirs:
        by_us = Command(python(*BUILTIN), ours)
        by_quarto = Command(python("-m", "reporting.render", "--renderer", "quarto"), theirs)
        spreads = in_turns(by_us, by_quarto, ROUNDS, lambda taken: taken.wall)
    return Found(ours=spreads[0], theirs=spreads[1], unit="s", remark="wall clock, caches warm")


def imports() -> Found:
    """Measure the import that each page begins with, less that of Python itself."""
    with tempfile.TemporaryDirectory() as place:
        nothing = Command(python("-c", ""), Path(place))
        page = Command(python("-c", CELL), Path.cwd())
        pairs = [(taken(page).wall, taken(nothing).wall) for _ in range(2 * ROUNDS + 1)][1:]
    return Found(
        ours=Spread.of([page - nothing for page, nothing in pairs]),
        theirs=None,
        unit="s",
        remark="`import reporting.document`, less the start of Python",
    )


def memory() -> Found:
    """Measure the most memory that one process of a render of all pages held."""
    with copy() as folder:
        peaks = [taken(Command(python(*BUILTIN), folder)).memory / 1e6 for _ in range(2)]
    return Found(ours=Spread.of(peaks), theirs=None, unit="MB", remark="the largest of its processes")


@contextmanager
def copy() -> Iterator[Path]:
    """Yield a copy of the project in the current folder, without what was made there."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "project")
        shutil.copytree(Path.cwd(), folder, ignore=shutil.ignore_patterns(*MADE), symlinks=True)
        yield folder
