"""Stopping by the keyboard, also where a library swallows the interrupt."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def insistent(seconds: float = 1.0) -> Iterator[None]:
    """Within the block, raise `KeyboardInterrupt` upon Ctrl-C, and again every `seconds` until it is left.

    Some libraries catch everything while they are imported, and the interrupt with it; the run would go on
    as if nothing had been pressed. Only for the main thread.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
