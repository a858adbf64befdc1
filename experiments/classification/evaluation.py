"""From class probabilities to the figures that every classifier reports."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from experiments.datasets.images import labels_sha256
from experiments.statistics.intervals import wilson
from pipeline.result import Estimate


class Scores(TypedDict):
    """The part of a `Classification` that follows from probabilities and labels alone."""

    classes: tuple[str, ...]
    labels_sha256: str
    top1: Estimate
    per_class: tuple[Estimate, ...]
    confusion: tuple[tuple[int, ...], ...]
    predictions: tuple[int, ...]
    confidence: tuple[float, ...]


@dataclass(frozen=True)
class Predictions:
    """The class predicted for each of N images, int64 (N,), and the probability given to it, (N,)."""

    predictions: np.ndarray
    confidence: np.ndarray


def predictions_of(parts: Iterable[np.ndarray]) -> Predictions:
    """Keep of class probabilities, which come in parts of shape (B, K), the highest of each row.

    Ties go to the lowest class index.

    Raises:
        ValueError: if a probability is not finite.
    """
    predictions, confidence = [], []
    for part in parts:
        if not np.isfinite(part).all():
            raise ValueError("the model gave probabilities that are not finite")
        predictions.append(part.argmax(axis=1))
        confidence.append(part.max(axis=1).astype(np.float64))
    return Predictions(np.concatenate(predictions), np.concatenate(confidence))


def score(found: Predictions, labels: np.ndarray, classes: tuple[str, ...]) -> Scores:
    """Score the predictions for N images against labels of shape (N,); confidence is rounded to 4 decimals.

    Raises:
        ValueError: if there are more or fewer labels, or a prediction is no class.
    """
    predictions = found.predictions
    if len(predictions) != len(labels) or predictions.max() >= len(classes):
        raise ValueError(f"{len(predictions)} predictions for {len(labels)} labels in {len(classes)} classes")
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    return Scores(
        classes=classes,
        labels_sha256=labels_sha256(labels),
        top1=wilson(int(confusion.trace()), len(labels)),
        per_class=tuple(wilson(int(row[index]), int(row.sum())) for index, row in enumerate(confusion)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        predictions=tuple(predictions.tolist()),
        confidence=tuple(np.round(found.confidence, 4).tolist()),
    )
