"""Labelled images: what a classification stage sees of a data set."""

import hashlib
from dataclasses import dataclass

import numpy as np

from experiments.datasets.pictures import ArrayPictures, Chosen, Pictures


@dataclass(frozen=True)
class ClassifiedImages:
    """A training and a test set of RGB images.

    Images are uint8 arrays of shape (N, H, W, 3), equally large all, labels int64 arrays of shape (N,) that
    index `classes`. The arrays are read-only, because stages share them, and may be mapped from disk. Where
    the data set's own pictures are larger or of several sizes, the two originals are those.
    """

    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_originals: Pictures | None = None
    test_originals: Pictures | None = None

    def chosen(self, train: np.ndarray, test: np.ndarray) -> "ClassifiedImages":
        """Return the images at these positions, int64 of shape (M,), copied where they are arrays."""
        return ClassifiedImages(
            classes=self.classes,
            train_images=np.array(self.train_images[train]),
            train_labels=self.train_labels[train],
            test_images=np.array(self.test_images[test]),
            test_labels=self.test_labels[test],
            train_originals=Chosen(self.train_pictures, train),
            test_originals=Chosen(self.test_pictures, test),
        )

    def first(self, count: int) -> "ClassifiedImages":
        """Return the first `count` images of each part, or as many as there are."""
        train, test = (np.arange(min(count, len(part))) for part in (self.train_labels, self.test_labels))
        return self.chosen(train, test)

    @property
    def train_pictures(self) -> Pictures:
        """The training images as large as the data set has them."""
        return self.train_originals or ArrayPictures(self.train_images)

    @property
    def test_pictures(self) -> Pictures:
        """The test images as large as the data set has them."""
        return self.test_originals or ArrayPictures(self.test_images)


def labels_sha256(labels: np.ndarray) -> str:
    """Hash labels (N,) as bytes, where there are more than 256 classes as 32-bit integers."""
    kind = np.uint8 if labels.max(initial=0) < 256 else np.uint32
    return hashlib.sha256(labels.astype(kind).tobytes()).hexdigest()
