"""Captions of photos from their features, all processes sharing the work."""

import numpy as np

from experiments.captioning.captioner import Captioner
from experiments.captioning.encoded import at
from experiments.processes import Processes, shared_out
from experiments.results.caption import Caption
from experiments.sections.generation import GenerationSection

CAPTIONS = 100
"""Captions that are written at once."""


def written(
    captioner: Captioner, features: np.ndarray, section: GenerationSection, processes: Processes
) -> list[Caption]:
    """Write a caption for each of N features (N, T, F), which may be mapped from disk, in their order."""

    def write(first: int) -> list[Caption]:
        return captioner.generate(at(features, slice(first, first + CAPTIONS)), section)

    starts = range(0, len(features), CAPTIONS)
    return [caption for part in shared_out(processes, write, starts) for caption in part]
