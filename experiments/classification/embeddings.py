"""The image features of a dual encoder, computed once and kept on disk."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from PIL import Image

from experiments.classification.towers import Tower
from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import Features, batches, kept, path_of
from experiments.results.classification import Precision

FOLDER = "embeddings"
"""The folder under `Context.shared` in which features are kept."""

BATCH = 250


def embed(
    tower: Tower, pictures: Pictures, precision: Precision, context: Context, report: Callable[[int], None]
) -> Features:
    """Encode pictures, or map from disk what an earlier run kept.

    The file is addressed by the tower's image fingerprint, the pictures and the precision. `report` is called
    with the number of pictures done.
    """

    def rows(positions: range) -> np.ndarray:
        batch = preprocess(tower, (pictures[position] for position in positions))
        return tower.encode_image(batch, precision).numpy()

    path = path_of(context.shared / FOLDER, f"{tower.image_fingerprint()} {precision}", pictures)
    return kept(path, batches(len(pictures), BATCH), rows, report, context.processes)


def preprocess(tower: Tower, pictures: Iterable[np.ndarray]) -> torch.Tensor:
    """Return uint8 pictures (H, W, 3) of any size as the float tensor (N, 3, h, w) that `tower` takes."""
    return torch.stack([tower.preprocess(Image.fromarray(picture)) for picture in pictures])
