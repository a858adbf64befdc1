"""Labelled images in memory: what a classification stage sees of a data set."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassifiedImages:
    """A training and a test set of equally sized RGB images.

    Images are uint8 arrays of shape (N, H, W, 3), labels int64 arrays of shape (N,) that index
    `classes`. The arrays are read-only: stages share them.
    """

    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
