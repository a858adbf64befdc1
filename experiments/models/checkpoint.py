"""The state of a training after a whole number of epochs, kept so that a killed run can go on."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.results.classification import Precision
from pipeline.files import keep, kept


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on, and what the finished ones were like.

    `network` and `optimiser` are state dictionaries, `loss` has one entry per finished epoch, `seconds`
    is the wall-clock time that these epochs took.
    """

    network: dict[str, Any]
    optimiser: dict[str, Any]
    precision: Precision
    loss: tuple[float, ...]
    seconds: float


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Replace the checkpoint at `path`, so that whoever reads it finds the old or the new one whole."""
    content = io.BytesIO()
    torch.save(vars(checkpoint), content)
    keep(path, content.getvalue())


def load(path: Path, device: torch.device) -> Checkpoint | None:
    """Return the checkpoint at `path` with its tensors on `device`, None if none is there unaltered."""
    content = kept(path)
    if content is None:
        return None
    return Checkpoint(**torch.load(io.BytesIO(content), map_location=device, weights_only=True))
