"""Where to compute, and at which of fp32 and bf16."""

import torch

from experiments.config.fields import PrecisionChoice
from experiments.results.classification import Precision

_BF16_INSTRUCTIONS = ("amx_bf16", "bf16")
"""On x86 and, the last, on ARM. AVX-512's alone bring nothing: a processor that has them and no AMX took 1.6
times as long for products of 2048 x 2048 matrices and for convolutions in bf16 as in fp32."""


def best_device() -> torch.device:
    """Return this process's GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def chosen(choice: PrecisionChoice) -> Precision:
    """Return the precision that a config's choice comes to on this machine, whatever else runs on it.

    "auto" is bf16 where the best device has instructions that make it faster, else fp32: a CPU without any
    takes ten times as long in bf16 as in fp32.
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
    return any(capabilities.get(name) for name in _BF16_INSTRUCTIONS)
