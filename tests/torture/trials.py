"""What a trial is, and what can be wrong about how it ended."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

LOST, SILENT, TRACEBACK, OTHERWISE = "lost", "silently wrong", "tracebacks", "not as stated"
WRONG = (LOST, SILENT, TRACEBACK, OTHERWISE)
"""Gone for good; another value and not a word; an error as Python shows it; another outcome than was said."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong about how a trial ended."""

    kind: str
    what: str


@dataclass(frozen=True)
class Trial:
    """A fault that is injected, or an input that is tried; `attempt` works in a folder of its own."""

    kind: str
    name: str
    attempt: Callable[[Path, Random], Iterable[Problem]]
    is_fault: bool = False
