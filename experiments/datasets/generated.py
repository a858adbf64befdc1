"""Coloured shapes: a generated data set that a tiny network can learn in seconds."""

import numpy as np

from experiments.config.images import GeneratedConfig
from experiments.datasets.images import ClassifiedImages, keep_for_validation

CLASSES = ("square", "disc", "cross", "stripes")


def generate(config: GeneratedConfig) -> ClassifiedImages:
    """Draw shapes of random colour and place on noise, in equal numbers per class, from the seed alone.

    Raises:
        UserError: if more training images are to be kept for validation than can be spared.
    """
    random = np.random.default_rng(config.seed)
    train_images, train_labels = _draw(config.train, config.size, random)
    test_images, test_labels = _draw(config.test, config.size, random)
    images = ClassifiedImages(
        classes=CLASSES,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )
    return keep_for_validation(images, config.validation, config.validation_seed)


def _draw(count: int, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = random.permutation(np.arange(count) % len(CLASSES))
    images = random.integers(0, 96, (count, size, size, 3), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[mask(CLASSES[label], size, random)] = random.integers(128, 256, 3, dtype=np.uint8)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def mask(shape: str, size: int, random: np.random.Generator) -> np.ndarray:
    """Return a boolean (size, size) mask of one shape with its centre near the middle."""
    centre = size / 2 + random.uniform(-size / 8, size / 8, 2)
    y, x = np.indices((size, size)) + 0.5
    down, across, radius = np.abs(y - centre[0]), np.abs(x - centre[1]), size / 3.5
    masks = {
        "square": np.maximum(down, across) < radius,
        "disc": down**2 + across**2 < radius**2,
        "cross": (np.minimum(down, across) < radius / 4) & (np.maximum(down, across) < radius),
        "stripes": (np.maximum(down, across) < radius) & (y.astype(int) % 3 == 0),
    }
    return masks[shape]
