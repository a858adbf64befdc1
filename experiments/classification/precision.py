"""Choosing between fp32 and bf16 by a one-second probe."""

import time
from collections.abc import Callable

import torch

from experiments.results.classification import Precision


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which a forward pass runs at `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def probe(work: Callable[[Precision], object], seconds: float = 1.0) -> Precision:
    """Return the precision at which `work` runs more often in about `seconds` seconds.

    `work` is run once at each precision beforehand, so that set-up costs do not count; it must not
    change anything that matters later. fp32 wins a tie.
    """
    precisions: tuple[Precision, Precision] = ("fp32", "bf16")
    spent = {}
    for precision in precisions:
        work(precision)
        runs, start = 0, time.perf_counter()
        while runs == 0 or time.perf_counter() - start < seconds / len(precisions):
            work(precision)
            runs += 1
        spent[precision] = (time.perf_counter() - start) / runs
    return "bf16" if spent["bf16"] < spent["fp32"] else "fp32"
