"""Image features that are computed once and kept on disk."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from experiments.atomic import write_whole
from experiments.classification.precision import probe
from experiments.classification.towers import Tower
from experiments.results.classification import Precision

BATCH = 250


@dataclass(frozen=True)
class Embeddings:
    """Features of shape (N, F) in float32, with the wall-clock seconds that encoding them took.

    `reused` says that they came from disk: the seconds are then those of the run that made them.
    """

    features: np.ndarray
    seconds: float
    reused: bool

    @property
    def images_per_second(self) -> float:
        """Return the throughput of preprocessing and encoding."""
        return len(self.features) / self.seconds


def choose_precision(tower: Tower, images: np.ndarray, folder: Path) -> Precision:
    """Return the precision at which the features of `images` are kept in `folder`, else the faster one."""
    kept: tuple[Precision, ...] = ("bf16", "fp32")
    for precision in kept:
        if _read(_path(tower, images, folder, precision), len(images)) is not None:
            return precision
    pixels = preprocess(tower, images[:32])
    return probe(lambda precision: tower.encode_image(pixels, precision))


def embed(
    tower: Tower, images: np.ndarray, folder: Path, precision: Precision, report: Callable[[int], None]
) -> Embeddings:
    """Encode uint8 images of shape (N, H, W, 3), or read what an earlier run kept in `folder`.

    The file is addressed by the tower's image fingerprint, the images and the precision, and written
    whole or not at all. `report` is called with the number of images done.
    """
    path = _path(tower, images, folder, precision)
    kept = _read(path, len(images))
    if kept is not None:
        report(len(images))
        return kept
    start, parts = time.perf_counter(), []
    for first in range(0, len(images), BATCH):
        batch = preprocess(tower, images[first : first + BATCH])
        parts.append(tower.encode_image(batch, precision).numpy())
        report(min(first + BATCH, len(images)))
    made = Embeddings(np.concatenate(parts), time.perf_counter() - start, reused=False)
    metadata = {"seconds": repr(made.seconds), "sha256": _digest(made.features)}
    write_whole(path, save({"features": made.features}, metadata=metadata))
    return made


def preprocess(tower: Tower, images: np.ndarray) -> torch.Tensor:
    """Return uint8 images (N, H, W, 3) as the float tensor (N, 3, h, w) that `tower` takes."""
    return torch.stack([tower.preprocess(Image.fromarray(image)) for image in images])


def _path(tower: Tower, images: np.ndarray, folder: Path, precision: Precision) -> Path:
    key = f"{tower.image_fingerprint()} {_digest(images)} {precision}"
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"


def _digest(array: np.ndarray) -> str:
    """Hash an array's shape, type and content."""
    header = f"{array.shape} {array.dtype} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def _read(path: Path, n: int) -> Embeddings | None:
    """Return the features at `path`, or None if there are none or the file is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            features, metadata = file.get_tensor("features"), file.metadata()
    except (SafetensorError, OSError):
        return None
    if len(features) != n or metadata.get("sha256") != _digest(features):
        return None
    return Embeddings(features, float(metadata["seconds"]), reused=True)
