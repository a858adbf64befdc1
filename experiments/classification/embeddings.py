"""The image features of a dual encoder, computed once and kept on disk."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from experiments.classification.precision import probe
from experiments.classification.towers import Tower
from experiments.features import Features, digest, keep, path_of, read
from experiments.results.classification import Precision

BATCH = 250


def choose_precision(tower: Tower, images: np.ndarray, folder: Path) -> Precision:
    """Return the precision at which the features of `images` are kept in `folder`, else the faster one."""
    kept: tuple[Precision, ...] = ("bf16", "fp32")
    for precision in kept:
        if read(_path(tower, images, folder, precision), len(images)) is not None:
            return precision
    pixels = preprocess(tower, images[:32])
    return probe(lambda precision: tower.encode_image(pixels, precision))


def embed(
    tower: Tower, images: np.ndarray, folder: Path, precision: Precision, report: Callable[[int], None]
) -> Features:
    """Encode uint8 images of shape (N, H, W, 3), or read what an earlier run kept in `folder`.

    The file is addressed by the tower's image fingerprint, the images and the precision, and written
    whole or not at all. `report` is called with the number of images done.
    """
    path = _path(tower, images, folder, precision)
    kept = read(path, len(images))
    if kept is not None:
        report(len(images))
        return kept
    start, parts = time.perf_counter(), []
    for first in range(0, len(images), BATCH):
        batch = preprocess(tower, images[first : first + BATCH])
        parts.append(tower.encode_image(batch, precision).numpy())
        report(min(first + BATCH, len(images)))
    return keep(path, np.concatenate(parts), time.perf_counter() - start)


def preprocess(tower: Tower, images: np.ndarray) -> torch.Tensor:
    """Return uint8 images (N, H, W, 3) as the float tensor (N, 3, h, w) that `tower` takes."""
    return torch.stack([tower.preprocess(Image.fromarray(image)) for image in images])


def _path(tower: Tower, images: np.ndarray, folder: Path, precision: Precision) -> Path:
    return path_of(folder, f"{tower.image_fingerprint()} {digest(images)} {precision}")
