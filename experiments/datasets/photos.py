"""Captioned photos: what a captioning stage sees of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.datasets.pictures import Pictures, decode, digest
from experiments.results.source import Source


@dataclass(frozen=True)
class Photo:
    """One photo with its reference captions.

    `name` is unique in its data set (``"test-35"``, a file's name), `index` the photo's position in the
    data set's own split. `picture` is uint8 of shape (H, W, 3), read-only, or the file that holds it.
    `label` is the name of its class, or None where the data set has no classes.
    """

    name: str
    index: int
    picture: np.ndarray | Path
    references: tuple[str, ...]
    label: str | None

    @property
    def pixels(self) -> np.ndarray:
        """The picture, uint8 of shape (H, W, 3), read-only; a file is decoded each time."""
        return decode(self.picture) if isinstance(self.picture, Path) else self.picture


@dataclass(frozen=True)
class CaptionedPhotos:
    """The photos to tune a captioner on, and others to evaluate it on.

    `source` are the sources of photos and captions, none where they were drawn; `classes` names the data
    set's classes (none where it has none).
    """

    source: tuple[Source, ...]
    classes: tuple[str, ...]
    tuning: tuple[Photo, ...]
    evaluation: tuple[Photo, ...]


def pictures_of(photos: Sequence[Photo]) -> Pictures:
    """Return the pictures of captioned photos."""
    return Pictures(lambda position: photos[position].pixels, len(photos))


def rest(pool: Pictures, photos: Sequence[Photo]) -> np.ndarray:
    """Return the positions of the pool's pictures that are not pixel for pixel one of `photos`.

    The positions are int64, in ascending order. Pictures are compared by content, never by position: each
    copy of a photo in the pool is left out.
    """
    excluded = {digest(photo.pixels) for photo in photos}
    others = (position for position in range(len(pool)) if pool.digest(position) not in excluded)
    return np.fromiter(others, dtype=np.int64)


def draw_others(pool: Pictures, photos: Sequence[Photo], count: int, seed: int) -> np.ndarray:
    """Draw positions of `count` pictures that are none of `photos`, or of all such if they are fewer.

    Drawn without replacement from the seed alone; int64, in ascending order.
    """
    positions = rest(pool, photos)
    drawn = np.random.default_rng(seed).choice(positions, min(count, len(positions)), replace=False)
    return np.sort(drawn)
