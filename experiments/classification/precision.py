"""Where to compute, and at which of fp32 and bf16: the latter by a one-second probe."""

import math
import time
from collections.abc import Callable

import torch

from experiments.results.classification import Precision


def best_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which a forward pass runs at `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def probe(work: Callable[[Precision], object], seconds: float = 1.0) -> Precision:
    """Return the precision at which `work` is faster, tried in turns for about `seconds` seconds.

    `work` is run once at each precision beforehand, so that set-up costs do not count; it must not
    change anything that matters later. The shortest times are compared, because whatever else the
    machine does can only lengthen a time. fp32 wins a tie.
    """
    work("fp32")
    work("bf16")
    fp32, bf16, start = math.inf, math.inf, time.perf_counter()
    while math.isinf(bf16) or time.perf_counter() - start < seconds:
        fp32 = min(fp32, _duration(work, "fp32"))
        bf16 = min(bf16, _duration(work, "bf16"))
    return "bf16" if bf16 < fp32 else "fp32"


def _duration(work: Callable[[Precision], object], precision: Precision) -> float:
    start = time.perf_counter()
    work(precision)
    return time.perf_counter() - start
