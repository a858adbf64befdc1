"""Labelled images: what a classification stage sees of a data set."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from experiments.datasets.pictures import Pictures
from pipeline.errors import UserError


@dataclass(frozen=True)
class ClassifiedImages:
    """A training, a validation and a test set of RGB images.

    Networks learn from the training images. The validation images, of which there may be none, are those
    kept apart from them, to make choices on: an image is in one of the two only. Images are uint8 arrays of
    shape (N, H, W, 3), equally large all, labels int64 arrays of shape (N,) that index `classes`. The
    arrays are read-only, because stages share them, and may be mapped from disk. Where the data set's own
    pictures are larger or of several sizes, the three originals are those.
    """

    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_originals: Pictures | None = None
    test_originals: Pictures | None = None
    validation_images: np.ndarray = field(default_factory=lambda: np.zeros((0, 1, 1, 3), dtype=np.uint8))
    validation_labels: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    validation_originals: Pictures | None = None

    @property
    def train_pictures(self) -> Pictures:
        """The training images as large as the data set has them."""
        return self.train_originals or _pictures(self.train_images)

    @property
    def validation_pictures(self) -> Pictures:
        """The validation images as large as the data set has them."""
        return self.validation_originals or _pictures(self.validation_images)

    @property
    def test_pictures(self) -> Pictures:
        """The test images as large as the data set has them."""
        return self.test_originals or _pictures(self.test_images)


def _pictures(images: np.ndarray) -> Pictures:
    return Pictures(images.__getitem__, len(images))


def labels_sha256(labels: np.ndarray) -> str:
    """Hash labels (N,) as bytes, where there are more than 256 classes as 32-bit integers."""
    kind = np.uint8 if labels.max(initial=0) < 256 else np.uint32
    return hashlib.sha256(labels.astype(kind).tobytes()).hexdigest()


def draw_test_split(count: int, share: float, seed: int, label: int) -> np.ndarray:
    """Draw which of the `count` images of a class are for testing: a mask of shape (count,).

    These are the share of them, but one at least and never all. Each class has its own random numbers, so
    that another class more or less changes nothing.
    """
    order = np.random.default_rng((seed, label)).permutation(count)
    tested = np.zeros(count, dtype=bool)
    tested[order[: min(max(1, round(share * count)), max(0, count - 1))]] = True
    return tested


def draw_validation(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Draw which training images, with labels (N,), are kept for validation: a mask of shape (N,).

    These are `count` images, of each class as large a share as of the others, to an image; which of a class
    is drawn from the seed alone. One image of each class at least stays to learn from.

    Raises:
        UserError: if `count` leaves too few.
    """
    classes = np.unique(labels)
    if count > len(labels) - len(classes):
        raise UserError(
            f"images.validation = {count} keeps too many of the {len(labels)} training images apart: at most "
            f"{len(labels) - len(classes)} can be, since one image of each class must stay to learn from."
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    # How far back an image stands in its class, as a share of it: the foremost of all classes are taken.
    place = np.empty(len(labels))
    for label in classes:
        own = order[labels[order] == label]
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
        place[own[-1]] = np.inf
    kept = np.zeros(len(labels), dtype=bool)
    kept[order[np.argsort(place[order], kind="stable")[:count]]] = True
    return kept


def keep_for_validation(images: ClassifiedImages, count: int, seed: int) -> ClassifiedImages:
    """Return images without originals and validation part with `count` training images as the latter.

    Which they are is `draw_validation`'s choice, and both parts keep their order. Other arrays are the same,
    and all of them where `count` is 0; arrays that were mapped from disk are copied into memory.

    Raises:
        UserError: if `count` leaves too few training images.
    """
    if count == 0:
        return images
    kept = draw_validation(images.train_labels, count, seed)
    parts = {
        f"{part}_{what}": getattr(images, f"train_{what}")[mask]
        for part, mask in (("train", ~kept), ("validation", kept))
        for what in ("images", "labels")
    }
    for array in parts.values():
        array.setflags(write=False)
    return replace(images, **parts)
