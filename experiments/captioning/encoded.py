"""The features of photos, computed once for all stages that need them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments import features
from experiments.captioning.captioner import Captioner

FOLDER = "captioner_features"
"""The folder under `Context.shared` in which features are kept."""

_CHUNK = 250


def encoded(captioner: Captioner, photos: Sequence[np.ndarray], shared: Path) -> Tensor:
    """Return the features (N, T, F) of photos, computed once for one captioner and kept under `shared`."""
    return kept(captioner.encode, captioner.image_fingerprint(), photos, shared)


def kept(
    encode: Callable[[Sequence[np.ndarray]], Tensor],
    fingerprint: str,
    photos: Sequence[np.ndarray],
    shared: Path,
    report: Callable[[int], None] = lambda done: None,
) -> Tensor:
    """Return `encode` of photos, or what an earlier call kept under `shared` for this `fingerprint`.

    `report` is called with the number of photos done.
    """
    key = " ".join([fingerprint, *map(features.digest, photos)])
    path = features.path_of(shared / FOLDER, key)
    found = features.read(path, len(photos))
    if found is None:
        start, parts = time.perf_counter(), []
        for first in range(0, len(photos), _CHUNK):
            parts.append(encode(photos[first : first + _CHUNK]).numpy())
            report(min(first + _CHUNK, len(photos)))
        found = features.keep(path, np.concatenate(parts), time.perf_counter() - start)
    return torch.from_numpy(found.features)
