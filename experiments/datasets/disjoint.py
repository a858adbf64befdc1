"""The pictures of a pool that are none of a data set's captioned photos."""

from collections.abc import Sequence

import numpy as np

from experiments.datasets.photos import Photo, PicturesOf
from experiments.datasets.pictures import Pictures


def rest(pool: Pictures, photos: Sequence[Photo]) -> np.ndarray:
    """Return the positions of the pool's pictures that are not pixel for pixel one of `photos`.

    The positions are int64, in ascending order. Pictures are compared by content, never by position: each
    copy of a photo in the pool is left out.
    """
    known = PicturesOf(photos)
    excluded = {known.digest(position) for position in range(len(known))}
    kept = (position for position in range(len(pool)) if pool.digest(position) not in excluded)
    return np.fromiter(kept, dtype=np.int64)


def draw(pool: Pictures, photos: Sequence[Photo], count: int, seed: int) -> np.ndarray:
    """Draw positions of `count` pictures that are none of `photos`, or of all such if they are fewer.

    Drawn without replacement from the seed alone; int64, in ascending order.
    """
    positions = rest(pool, photos)
    drawn = np.random.default_rng(seed).choice(positions, min(count, len(positions)), replace=False)
    return np.sort(drawn)
