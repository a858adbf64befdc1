"""Captioned photos in memory: what a captioning stage sees of a data set."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Photo:
    """One photo with its reference captions.

    `name` is unique in its data set (``"test-35"``, a file's name), `index` the photo's position in the
    data set's own split. `pixels` is uint8 of shape (H, W, 3), read-only. `label` is the name of its
    class, or None where the data set has no classes.
    """

    name: str
    index: int
    pixels: np.ndarray
    references: tuple[str, ...]
    label: str | None


@dataclass(frozen=True)
class CaptionedPhotos:
    """The photos to tune a captioner on, and others to evaluate it on.

    `source` says where photos and captions come from, `classes` names the data set's classes (none
    where it has none).
    """

    source: str
    classes: tuple[str, ...]
    tuning: tuple[Photo, ...]
    evaluation: tuple[Photo, ...]
