"""Where to compute, and at which of fp32 and bf16."""

import time
from functools import cache

import torch
from torch.nn import functional

from experiments.config.fields import PrecisionChoice
from experiments.results.classification import Precision

_BF16_INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "bf16")
"""On x86 and, the last, on ARM: a CPU without any takes ten times as long in bf16 as in fp32.

Those of AVX-512 alone say little: one processor took half as long in bf16 for the networks here, another 1.6
times as long, so that it is measured.
"""
_TURNS, _AT_LEAST = 5, 1.2
"""How often each precision is timed, and how many times faster bf16 has to be."""


def best_device() -> torch.device:
    """Return this process's GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def chosen(choice: PrecisionChoice) -> Precision:
    """Return the precision that a config's choice comes to on this machine.

    "auto" is bf16 where the best device has instructions for it and, of a CPU, where they were faster when
    they were timed, else fp32.
    """
    if choice != "auto":
        return choice
    return "bf16" if _computes_in_bf16(best_device()) else "fp32"


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which a forward pass runs at `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def _computes_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in _BF16_INSTRUCTIONS) and _gain_of_bf16() >= _AT_LEAST


@cache
def _gain_of_bf16() -> float:
    """Return how many times longer a convolution, forward and backward, takes this CPU in fp32 than in bf16.

    It is one of a training's, of 8 images. One thread computes it, in turns, and the shortest times count:
    so the answer is the same whatever else runs here.
    """
    images = torch.ones(8, 64, 16, 16).to(memory_format=torch.channels_last)
    filters = torch.ones(256, 64, 3, 3).to(memory_format=torch.channels_last).requires_grad_()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns = [
            [_seconds(precision, images, filters) for precision in ("fp32", "bf16")] for _ in range(_TURNS)
        ]
    finally:
        torch.set_num_threads(threads)
    fp32, bf16 = map(min, zip(*turns, strict=True))
    return fp32 / bf16


def _seconds(precision: Precision, images: torch.Tensor, filters: torch.Tensor) -> float:
    start = time.perf_counter()
    with torch.enable_grad(), autocast(precision, images.device):
        convolved = functional.conv2d(images, filters, padding=1)
    torch.autograd.grad(convolved.float().sum(), filters)
    return time.perf_counter() - start
