"""Captions of photos that are kept from all tuning: what generic knowledge there is shows in them."""

from dataclasses import dataclass

import numpy as np

from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.encoded import encoded
from experiments.captioning.writing import written
from experiments.config.captioner import AnyCaptionerConfig
from experiments.config.tuning import GenerationConfig
from experiments.context import Context
from experiments.datasets.disjoint import draw
from experiments.datasets.pictures import Chosen
from experiments.models.processes import Processes

LIMIT = GenerationConfig(max_new_tokens=32, beams=1)
"""Enough for a class word to come up, the same for every captioner and variant."""


@dataclass(frozen=True)
class HeldOut:
    """Photos of the classification test set that nothing is tuned or evaluated on otherwise.

    `features` is (N, T, F), `labels` the names of the N photos' classes, `classes` all names.
    """

    features: np.ndarray
    labels: tuple[str, ...]
    classes: tuple[str, ...]


def held_out(captioner: Captioner, config: AnyCaptionerConfig, context: Context) -> HeldOut:
    """Draw the held-out photos by the captioner's section and encode them."""
    images, photos = context.images(), context.photos()
    chosen = draw(images.test_pictures, (*photos.tuning, *photos.evaluation), config.held_out, config.seed)
    return HeldOut(
        features=encoded(captioner, Chosen(images.test_pictures, chosen), context),
        labels=tuple(images.classes[label] for label in images.test_labels[chosen]),
        classes=images.classes,
    )


def captions_of(captioner: Captioner, photos: HeldOut, processes: Processes) -> tuple[str, ...]:
    """Write a caption for each held-out photo."""
    return tuple(caption.text for caption in written(captioner, photos.features, LIMIT, processes))
