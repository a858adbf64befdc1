"""Captions of photos from their features, all processes sharing the work."""

import numpy as np

from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.encoded import at
from experiments.config.tuning import GenerationConfig
from experiments.models.processes import Processes, shared_out
from experiments.results.caption import Caption

CAPTIONS = 100
"""Captions that are written at once."""


def written(
    captioner: Captioner, features: np.ndarray, config: GenerationConfig, processes: Processes
) -> list[Caption]:
    """Write a caption for each of N features (N, T, F), which may be mapped from disk, in their order."""

    def write(first: int) -> list[Caption]:
        return captioner.generate(at(features, slice(first, first + CAPTIONS)), config)

    starts = range(0, len(features), CAPTIONS)
    return [caption for part in shared_out(processes, write, starts) for caption in part]
