"""A few real units of each heavy stage's work, timed on this machine; nothing of them stays."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.assets import Archive
from experiments.checking.clock import now
from experiments.checking.times import ClassifierPace, ZeroShotPace
from experiments.classification.training import TEST_BATCH
from experiments.classification.zero_shot import zero_shot
from experiments.context import Context
from experiments.datasets.downloads import unpacked
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.pictures import Pictures
from experiments.errors import UserError
from experiments.results.trained import TrainedClassifier
from experiments.sections.training import TrainingSection
from experiments.sections.zero_shot import ZeroShotSection

Stage = Callable[[Any, Mapping[str, object], Context], TrainedClassifier]
"""Trains and tests a network by its section of the profile."""

STEPS = 3
"""Training steps that are made, the first of which warms up."""
PIXELS, PIXELS_ON_GPU = 2**17, 2**22
"""Pixels of a batch: fewer images are rehearsed with where that is less than the profile's."""
PICTURES = 24
"""Images that the zero-shot tower sees."""
CLASSES = 3
"""Classes that the zero-shot tower is described, of however many there are."""


def few(batch_size: int, side: int) -> int:
    """Return how many images of `side` pixels a batch is rehearsed with."""
    pixels = PIXELS_ON_GPU if torch.cuda.is_available() else PIXELS
    return max(2, min(batch_size, pixels // side**2))


def rehearse_classifier(stage: Stage, section: TrainingSection, images: ClassifiedImages) -> ClassifierPace:
    """Let a stage train its network for a few steps on `images`, however few they are, and test it."""
    batch = few(section.batch_size, images.train_images.shape[1])
    tested = few(TEST_BATCH, images.train_images.shape[1])
    short = section.model_copy(update={"epochs": 1, "batch_size": batch})
    moments: list[float] = []
    with _context(_tiled(images, STEPS * batch, tested), moments) as context:
        stage(short, {}, context)
    first, *_, last = moments
    return ClassifierPace(train=(last - first) / (STEPS - 1) / batch, test=(now() - last) / tested)


def rehearse_zero_shot(
    section: ZeroShotSection, images: ClassifiedImages, downloads: Path, root: Path
) -> ZeroShotPace:
    """Classify a few images by a few classes, as the stage does."""
    some, begun = _labelled_anew(images.first(PICTURES), CLASSES), list[float]()
    some = replace(
        some,
        train_originals=_Noting(some.train_pictures, begun),
        test_originals=_Noting(some.test_pictures, begun),
    )
    moments: list[float] = []
    start = now()
    with _context(some, moments, downloads, root) as context:
        zero_shot(section, {}, context)
    end = now()
    # The last pass is over the test images; before it, the tower may have warmed up on others.
    return ZeroShotPace(
        load=begun[0] - start,
        image=(moments[-1] - begun[-1]) / len(some.test_labels),
        describe=(end - moments[-1]) / len(some.classes),
    )


@dataclass(frozen=True)
class _Noting:
    """`Pictures` that note in `begun` when the first of them is asked for."""

    pictures: Pictures
    begun: list[float]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, position: int, /) -> np.ndarray:
        if position == 0:
            self.begun.append(now())
        return self.pictures[position]

    def digest(self, position: int, /) -> str:
        return self.pictures.digest(position)


def at_hand(downloads: Path) -> Callable[[Archive], Path]:
    """Return the function that finds an archive's folder among the downloads, and downloads nothing."""

    def find(archive: Archive) -> Path:
        folder = unpacked(archive, downloads)
        if not folder.is_dir():
            raise UserError(f"{archive.package} {archive.version} is not on this machine yet.")
        return folder

    return find


@contextmanager
def _context(
    images: ClassifiedImages, moments: list[float], downloads: Path = Path(), root: Path = Path()
) -> Iterator[Context]:
    """Lend a stage these images and a folder that goes away; note in `moments` when it reports."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        yield Context(
            images=lambda: images,
            fetch=at_hand(downloads),
            scratch=Path(scratch),
            shared=Path(scratch),
            progress=lambda done, total, note: moments.append(now()),
            root=root,
        )


def _tiled(images: ClassifiedImages, train: int, test: int) -> ClassifiedImages:
    """Return as many images as are asked for, the same over and over."""
    chosen = images.chosen(
        np.arange(train) % len(images.train_labels), np.arange(test) % len(images.test_labels)
    )
    return _labelled_anew(chosen, len(images.classes))


def _labelled_anew(images: ClassifiedImages, classes: int) -> ClassifiedImages:
    """Return the images with made-up labels of so many of the classes, or as many as there are test images.

    The first images of a folder are all of one class, and a score needs an image of each class.
    """
    count = min(classes, len(images.classes), len(images.test_labels))
    return replace(
        images,
        classes=images.classes[:count],
        train_labels=np.arange(len(images.train_labels)) % count,
        test_labels=np.arange(len(images.test_labels)) % count,
    )
