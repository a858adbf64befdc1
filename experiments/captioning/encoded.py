"""The features of photos, computed once for all stages that need them."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from experiments.captioning.captioners.captioner import Captioner
from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models import feature_store as features

FOLDER = "captioner_features"
"""The folder under `Context.shared` in which features are kept."""

_CHUNK = 250


def encoded(captioner: Captioner, photos: Pictures, context: Context) -> np.ndarray:
    """Return the features (N, T, F) of photos, mapped from disk, where they are kept for one captioner."""
    return kept(captioner.encode, captioner.image_fingerprint(), photos, context)


def kept(
    encode: Callable[[Sequence[np.ndarray]], Tensor],
    fingerprint: str,
    photos: Pictures,
    context: Context,
    report: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Return `encode` of photos, or what an earlier call kept for this `fingerprint`.

    `report` is called with the number of photos done.
    """

    def rows(positions: range) -> np.ndarray:
        return encode([photos[position] for position in positions]).numpy()

    path = features.path_of(context.shared / FOLDER, fingerprint, photos)
    chunks = features.batches(len(photos), _CHUNK)
    return features.kept(path, chunks, rows, report, context.processes).features


def at(features: np.ndarray, positions: Sequence[int] | np.ndarray | Tensor | slice) -> Tensor:
    """Return the features of some photos as a tensor (M, T, F) of its own."""
    return torch.tensor(features[positions if isinstance(positions, slice) else np.asarray(positions)])
