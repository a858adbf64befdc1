"""From class probabilities to the figures that every classifier reports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from experiments.datasets.images import labels_sha256
from experiments.datasets.pictures import Pictures, as_png
from experiments.results.classification import Mistake
from experiments.statistics.intervals import wilson
from pipeline.result import Attachment, Estimate

MISTAKES = 12
"""How many of a classifier's mistakes are kept with their picture."""


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


def confident_mistakes(
    found: Predictions,
    labels: np.ndarray,
    pictures: Pictures,
    attach: Callable[[str, bytes], Attachment],
    most: int = MISTAKES,
) -> tuple[Mistake, ...]:
    """Return the `most` mistakes of highest confidence, the surest first, each with its picture attached.

    `labels` (N,) and `pictures` are those of the N test images. Among equals the earlier image comes first;
    confidence is rounded to 4 decimals after they are in order.
    """
    wrong = np.flatnonzero(found.predictions != labels)
    surest = wrong[np.argsort(-found.confidence[wrong], kind="stable")][:most]
    return tuple(
        Mistake(
            index=index,
            label=int(labels[index]),
            prediction=int(found.predictions[index]),
            confidence=round(float(found.confidence[index]), 4),
            picture=attach(f"mistake-{index}.png", as_png(pictures[index])),
        )
        for index in surest.tolist()
    )
