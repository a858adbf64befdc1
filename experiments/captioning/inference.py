"""A captioner at work: photos to features, which are kept, and features to captions."""

from dataclasses import dataclass

import numpy as np

from experiments.captioning.captioners.captioner import Captioner
from experiments.config.captioner import AnyCaptionerConfig
from experiments.config.tuning import GenerationConfig
from experiments.context import Context
from experiments.datasets.photos import draw_others
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import batch_of, cached_features
from experiments.models.processes import Processes, shared_out
from experiments.results.caption import Caption

FEATURES = "captioner_features"
"""The folder under `Context.shared` for captioners' features."""
CAPTIONS = 100
"""Captions that are written at once."""
LIMIT = GenerationConfig(max_new_tokens=32, beams=1)
"""How held-out photos are captioned: enough for a class word, the same for every captioner and variant."""


@dataclass(frozen=True)
class HeldOut:
    """Photos of the classification test set that nothing is tuned or evaluated on otherwise.

    What generic knowledge a captioner has shows in its captions of them. `features` is (N, T, F), `labels`
    the names of the N photos' classes, `classes` all names. Where a profile asks for none, N is 0.
    """

    features: np.ndarray
    labels: tuple[str, ...]
    classes: tuple[str, ...]


def encoded(captioner: Captioner, photos: Pictures, context: Context) -> np.ndarray:
    """Return the features (N, T, F) of photos, mapped from disk, computed once for all stages."""
    encoder, module = captioner.image_fingerprint(), type(captioner).__module__
    return cached_features(
        captioner.encode, encoder, photos, context, module=module, folder=FEATURES
    ).features


def write_captions(
    captioner: Captioner, features: np.ndarray, config: GenerationConfig, processes: Processes
) -> list[Caption]:
    """Write a caption for each of N features (N, T, F) in their order, all processes sharing the work."""

    def write(first: int) -> list[Caption]:
        return captioner.generate(batch_of(features, slice(first, first + CAPTIONS)), config)

    starts = range(0, len(features), CAPTIONS)
    return [caption for part in shared_out(processes, write, starts) for caption in part]


def held_out(captioner: Captioner, config: AnyCaptionerConfig, context: Context) -> HeldOut:
    """Draw the held-out photos by the captioner's config and encode them; a config may ask for none."""
    if not config.held_out:
        return HeldOut(features=np.empty((0, 0, 0), dtype=np.float32), labels=(), classes=())
    images, photos = context.images(), context.photos()
    known = (*photos.tuning, *photos.evaluation)
    chosen = draw_others(images.test_pictures, known, config.held_out, config.seed)
    return HeldOut(
        features=encoded(captioner, images.test_pictures.at(chosen), context),
        labels=tuple(images.classes[label] for label in images.test_labels[chosen]),
        classes=images.classes,
    )


def caption_held_out(captioner: Captioner, photos: HeldOut, processes: Processes) -> tuple[str, ...]:
    """Write a caption for each held-out photo."""
    return tuple(caption.text for caption in write_captions(captioner, photos.features, LIMIT, processes))
