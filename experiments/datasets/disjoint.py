"""The images of a pool that are none of a data set's captioned photos."""

import hashlib
from collections.abc import Sequence

import numpy as np

from experiments.datasets.photos import Photo


def rest(images: np.ndarray, photos: Sequence[Photo]) -> np.ndarray:
    """Return the positions of the images that are not pixel for pixel one of `photos`.

    `images` is uint8 of shape (N, H, W, 3); the positions are int64, in ascending order. Images are
    compared by content, never by position: each copy of a photo in the pool is left out.
    """
    excluded = {_digest(photo.pixels) for photo in photos}
    kept = [position for position, image in enumerate(images) if _digest(image) not in excluded]
    return np.array(kept, dtype=np.int64)


def draw(images: np.ndarray, photos: Sequence[Photo], count: int, seed: int) -> np.ndarray:
    """Draw positions of `count` images that are none of `photos`, or of all such images if they are fewer.

    Drawn without replacement from the seed alone; int64, in ascending order.
    """
    positions = rest(images, photos)
    drawn = np.random.default_rng(seed).choice(positions, min(count, len(positions)), replace=False)
    return np.sort(drawn)


def _digest(pixels: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    """Return an image's shape with the hash of its bytes, which alone do not tell 2 x 8 from 4 x 4."""
    return pixels.shape, hashlib.sha256(np.ascontiguousarray(pixels).data).digest()
