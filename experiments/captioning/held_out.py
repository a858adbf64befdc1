"""Whether generic knowledge is there: do captions of held-out photos name the right class?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from experiments.captioning.captioner import Captioner
from experiments.captioning.context import CaptioningContext
from experiments.captioning.encoded import encoded
from experiments.captioning.grounding import names_class
from experiments.datasets.disjoint import draw
from experiments.sections.captioner import AnyCaptionerSection
from experiments.sections.generation import GenerationSection

LIMIT = GenerationSection(max_new_tokens=32, beams=1)
"""Enough for a class word to come up, the same for every captioner and variant."""


@dataclass(frozen=True)
class HeldOut:
    """Photos of the classification test set that nothing is tuned or evaluated on otherwise.

    `features` is (N, T, F), `labels` the names of the N photos' classes, `classes` all names.
    """

    features: Tensor
    labels: tuple[str, ...]
    classes: tuple[str, ...]


def held_out(captioner: Captioner, section: AnyCaptionerSection, context: CaptioningContext) -> HeldOut:
    """Draw the held-out photos by the captioner's section and encode them."""
    images, photos = context.images(), context.photos()
    chosen = draw(images.test_images, (*photos.tuning, *photos.evaluation), section.held_out, section.seed)
    return HeldOut(
        features=encoded(captioner, list(images.test_images[chosen]), context.shared),
        labels=tuple(images.classes[label] for label in images.test_labels[chosen]),
        classes=images.classes,
    )


def right_class(captioner: Captioner, photos: HeldOut) -> np.ndarray:
    """Return for each held-out photo, as a boolean (N,), whether its caption names its class."""
    captions = captioner.generate(photos.features, LIMIT)
    return named(tuple(caption.text for caption in captions), photos.labels)


def named(captions: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    """Return for each caption, as a boolean (N,), whether it names its label."""
    return np.array([names_class(text, label) for text, label in zip(captions, labels, strict=True)])
