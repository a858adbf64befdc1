"""How often a classifier is right where it says how sure it is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import NormalDist, fmean

from experiments.results.classification import Classification
from pipeline.result import Estimate

BINS = 10
LEAST = 20
"""A bin of fewer images tells next to nothing, and is not drawn."""


@dataclass(frozen=True)
class Bin:
    """Images of about the same confidence: its mean, and the share of them that were called right."""

    confidence: float
    right: Estimate


@dataclass(frozen=True)
class Calibration:
    """What a classifier says of how sure it is, and whether that holds.

    `confidence` is the mean of all images, `right` the share of them that were called right. `gap` is the
    expected calibration error: how far both lie apart within a bin, in the mean over all images. `bins` are
    those with enough images, by rising confidence.
    """

    confidence: float
    right: float
    gap: float
    bins: tuple[Bin, ...]


def calibration(result: Classification, labels: Sequence[int]) -> Calibration | None:
    """Sort a classifier's images into bins of equal width, None if `labels` are not of these images.

    The expected calibration error is as in Guo et al. 2017 (arXiv:1706.04599).
    """
    if len(labels) != len(result.predictions):
        return None
    images = defaultdict[int, list[tuple[float, bool]]](list)
    for confidence, predicted, label in zip(result.confidence, result.predictions, labels, strict=True):
        images[min(int(confidence * BINS), BINS - 1)].append((confidence, predicted == label))
    gap, bins = 0.0, []
    for _, own in sorted(images.items()):
        confidence, right = fsum(sure for sure, _ in own), sum(is_right for _, is_right in own)
        gap += abs(confidence - right)
        if len(own) >= LEAST:
            bins.append(Bin(confidence / len(own), _wilson(right, len(own))))
    every = [image for own in images.values() for image in own]
    return Calibration(
        confidence=fmean(sure for sure, _ in every),
        right=fmean(is_right for _, is_right in every),
        gap=gap / len(labels),
        bins=tuple(bins),
    )


def calibrations(
    classifiers: dict[str, Classification], labels: Sequence[int], labels_sha256: str
) -> dict[str, Calibration]:
    """Return what can be told of each classifier that was tested on the images of these labels, by stage."""
    told = {
        stage: calibration(result, labels)
        for stage, result in classifiers.items()
        if result.labels_sha256 == labels_sha256
    }
    return {stage: found for stage, found in told.items() if found is not None}


def _wilson(right: int, n: int) -> Estimate:
    """Return a share with its Wilson interval; that of the experiments needs SciPy, as a report does not."""
    z = NormalDist().inv_cdf(0.975)
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(
        value=share, n=n, low=max(middle - half, 0.0), high=min(middle + half, 1.0), method="wilson"
    )
