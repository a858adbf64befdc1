"""Random numbers of torch that follow from seeds alone, and leave what is drawn elsewhere as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let what the block draws follow from `seed`; afterwards the generators stand where they stood.

    These are the CPU's and this process's GPU's: other GPUs belong to other processes.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
