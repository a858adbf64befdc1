"""Showing how far a stage is and how long it will take: a bar on a terminal, lines in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining
from rich.text import Text

Report = Callable[[int, int, str], None]
"""Called as ``report(done, total, note)``; `done` and `total` count equal shares of the work."""

LOG_EVERY_SECONDS = 20.0


def say(console: Console, line: str) -> None:
    """Print a line as it is: what looks like markup may be a name, or a prompt, of someone's data."""
    console.print(Text(line), soft_wrap=True)


@contextmanager
def shown(stage: str, console: Console) -> Iterator[Report]:
    """Yield the function through which `stage` reports its progress."""
    if not console.is_terminal:
        yield _Log(stage, console)
        return
    columns = (TextColumn(stage), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"))
    with Progress(*columns, Remaining(), console=console, speed_estimate_period=120) as bar:
        task = bar.add_task(stage, total=None)

        def report(done: int, total: int, note: str) -> None:
            if total:
                bar.update(task, completed=done, total=total)
            if note:
                say(bar.console, f"  {stage}: {note}")

        yield report


class _Log:
    """Prints every note, and a line at most every `LOG_EVERY_SECONDS` in between."""

    def __init__(self, stage: str, console: Console) -> None:
        self.stage, self.console = stage, console
        self.first: tuple[float, int] | None = None
        self.printed = time.monotonic()

    def __call__(self, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        # A resumed stage starts in the middle: the pace is that of this run alone.
        start, already = self.first = self.first or (now, done)
        if not note and now - self.printed < LOG_EVERY_SECONDS:
            return
        self.printed = now
        left = (
            f", about {(now - start) / (done - already) * (total - done):.0f} s left"
            if done > already
            else ""
        )
        share = f"{done / total:.0%}" if total else ""
        text = "; ".join(filter(None, [note, f"{share}{left}"]))
        if text:
            say(self.console, f"  {self.stage}: {text}")
