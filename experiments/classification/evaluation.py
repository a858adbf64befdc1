"""From class probabilities to the figures that every classifier reports."""

import hashlib
from typing import TypedDict

import numpy as np

from experiments.results.estimate import Estimate
from experiments.statistics.intervals import wilson


class Scores(TypedDict):
    """The part of a `Classification` that follows from probabilities and labels alone."""

    classes: tuple[str, ...]
    labels_sha256: str
    top1: Estimate
    per_class: tuple[Estimate, ...]
    confusion: tuple[tuple[int, ...], ...]
    predictions: tuple[int, ...]
    confidence: tuple[float, ...]


def score(probabilities: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Scores:
    """Score class probabilities of shape (N, K) against labels of shape (N,).

    Ties go to the lowest class index. Confidence is rounded to four decimals.

    Raises:
        ValueError: if the shapes disagree or a probability is not finite.
    """
    if probabilities.shape != (len(labels), len(classes)):
        raise ValueError(
            f"{probabilities.shape} probabilities for {len(labels)} labels in {len(classes)} classes"
        )
    if not np.isfinite(probabilities).all():
        raise ValueError("the model gave probabilities that are not finite")
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(confusion, (labels, predictions), 1)
    return Scores(
        classes=classes,
        labels_sha256=hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest(),
        top1=wilson(int(confusion.trace()), len(labels)),
        per_class=tuple(wilson(int(row[index]), int(row.sum())) for index, row in enumerate(confusion)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        predictions=tuple(predictions.tolist()),
        confidence=tuple(np.round(probabilities.max(axis=1).astype(np.float64), 4).tolist()),
    )
