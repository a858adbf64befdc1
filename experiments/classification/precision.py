"""Where to compute, and at which of fp32 and bf16."""

import torch

from experiments.results.classification import Precision


def best_device() -> torch.device:
    """Return this process's GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which a forward pass runs at `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
