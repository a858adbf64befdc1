"""Whether a network that somebody else trained computes anything."""

import numpy as np
from torch import nn


def two_pictures() -> list[np.ndarray]:
    """Return a black picture and one of noise, uint8 (64, 64, 3), which have nothing in common."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return [np.zeros_like(noise), noise]


def not_finite(network: nn.Module) -> str | None:
    """Say in a clause which tensors of a network hold something else than finite numbers, None if none do."""
    wrong = [name for name, tensor in network.state_dict().items() if not tensor.isfinite().all()]
    return (
        f"{len(wrong)} of its tensors hold values that are no numbers, such as {wrong[0]}" if wrong else None
    )
