"""The clock of a rehearsal, and how its time on one core becomes that of a run on all."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DOUBLED = 1.5
"""How much faster twice as many threads are, about."""


@contextmanager
def one_core() -> Iterator[None]:
    """Compute in one thread within the block, where there is no GPU.

    Several threads wait for each other. On a machine that does other work as well they can take twenty times
    as long as they would alone, of which a rehearsal could learn nothing.
    """
    threads = torch.get_num_threads()
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def now() -> float:
    """Return the seconds that this process has computed; with a GPU, which works beside it, those passed."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


def speed_up(threads: int) -> float:
    """Return how many times as fast as a rehearsal a run in so many threads is, about."""
    return 1.0 if torch.cuda.is_available() else _DOUBLED ** math.log2(threads)
