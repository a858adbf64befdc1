"""How surely a difference between two treatments of the same images is known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import bootstrap, norm

from pipeline.result import Estimate

Measure = Callable[[np.ndarray], float]
"""A figure of the images at the given positions, which may hold an image twice or not at all.

A mean of scores is ``lambda at: scores[at].mean()``; a figure of a whole corpus is computed afresh."""

_ROUNDING = 1e-9
"""Figures that differ by less than this share of the largest among them differ by rounding only."""

_AT_ONCE = 2**20
"""How many positions are drawn at once: what bounds the memory, whatever the number of resamples."""


@dataclass(frozen=True)
class Difference:
    """A difference after - before with its interval, and `p`, the two-sided p-value of no difference."""

    estimate: Estimate
    p: float


def difference(before: Measure, after: Measure) -> Measure:
    """Return after - before as a measure of its own: at the same images, hence paired."""
    return lambda at: after(at) - before(at)


def bootstrapped(measure: Measure, n: int, resamples: int, random: np.random.Generator) -> Estimate:
    """Estimate a measure of `n` images with its 95 % bootstrap interval.

    Images are drawn with replacement (Efron 1979; Koehn 2004, W04-3250, for text). The interval is BCa,
    corrected for bias and skewness (Efron 1987, J. Am. Stat. Assoc. 82:171), by `scipy.stats.bootstrap`.
    BCa has no answer where leaving out any one image changes nothing, as where all agree, or where all
    resamples lie on one side of the value; the interval is then that of the percentiles. The estimate's
    `method` says which.

    Raises:
        ValueError: if n < 2.
    """
    return _bootstrapped(measure, n, resamples, random)[0]


def bootstrapped_difference(
    before: Measure, after: Measure, n: int, resamples: int, random: np.random.Generator
) -> Difference:
    """Estimate after - before over the same `n` images by a paired bootstrap, and test that it is 0.

    The interval is that of `bootstrapped`. The p-value is twice the smaller share of the same resamples'
    differences that are at most or at least 0, each counted with one more so that none is 0 (Efron &
    Tibshirani 1993, An Introduction to the Bootstrap, sections 15 and 16; Koehn 2004, W04-3250, for text).
    It corrects for neither bias nor skewness: near 0.05 it can be on the other side than the interval,
    and it errs to the side of caution where few images change at all, while BCa does not.

    Raises:
        ValueError: if n < 2.
    """
    estimate, drawn = _bootstrapped(difference(before, after), n, resamples, random)
    none = _rounding(drawn)
    fewest = min(np.count_nonzero(drawn <= none), np.count_nonzero(drawn >= -none))
    return Difference(estimate, p=min(1.0, 2 * (int(fewest) + 1) / (len(drawn) + 1)))


def mean_difference(
    first: np.ndarray, second: np.ndarray, resamples: int, random: np.random.Generator
) -> Estimate:
    """Estimate mean(second) - mean(first) with its 95 % bootstrap interval.

    Both hold a figure for each of the same images, of shape (N,); right or wrong counts as 1 or 0. The
    interval is that which `bootstrapped` gives with the same `random`, in a fraction of the time.

    Raises:
        ValueError: if the shapes are not one and the same (N,), or N < 2.
    """
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"not a figure each of the same images: shapes {first.shape} and {second.shape}")
    if len(first) < 2:
        raise ValueError("one image has no interval")
    changes = second.astype(float) - first.astype(float)
    # What is left of a mean without one image differs between images just where the images differ.
    return _resampled(changes, np.mean, changes, resamples, random, vectorized=True)[0]


def jackknifed(measure: Measure, n: int) -> Estimate:
    """Estimate a measure of `n` images with its 95 % interval by leaving out one image at a time.

    For counts of different words, which the bootstrap cannot do: every resample repeats images and so
    has fewer words than the whole. The jackknife errs to the side of caution (Efron & Stein 1981,
    Ann. Stat. 9:586).

    Raises:
        ValueError: if n < 2.
    """
    return _jackknifed(measure, n)[0]


def jackknifed_difference(before: Measure, after: Measure, n: int) -> Difference:
    """Estimate after - before over the same `n` images by the jackknife, and test that it is 0.

    The p-value is that of the difference over its jackknife error, as a normal variate (Efron &
    Tibshirani 1993, An Introduction to the Bootstrap, section 11). Where leaving out any one image
    changes nothing there is no error to hold a difference against: p is then 1 even if the difference is
    not 0, because nothing is known of how far it could be chance, though the interval has no width.

    Raises:
        ValueError: if n < 2.
    """
    estimate, error = _jackknifed(difference(before, after), n)
    return Difference(estimate, p=float(2 * norm.sf(abs(estimate.value) / error)) if error > 0 else 1.0)


def _bootstrapped(
    measure: Measure, n: int, resamples: int, random: np.random.Generator
) -> tuple[Estimate, np.ndarray]:
    """Return the estimate of a measure and its value in every resample."""

    # As floats, because scipy would round the bounds of a measure that counts to whole numbers.
    def figure(at: np.ndarray) -> float:
        return float(measure(at))

    return _resampled(np.arange(n), figure, _left_out(figure, n), resamples, random, vectorized=False)


def _resampled(
    sample: np.ndarray,
    statistic: Callable[..., Any],
    left_out: np.ndarray,
    resamples: int,
    random: np.random.Generator,
    *,
    vectorized: bool,
) -> tuple[Estimate, np.ndarray]:
    """Return the estimate of a statistic of `sample` and its value in every resample.

    `left_out` differs between the members of the sample where the statistic without them does.
    """
    batch = max(1, _AT_ONCE // len(sample))
    value = float(statistic(sample))
    drawn = bootstrap(
        (sample,), statistic, vectorized=vectorized, n_resamples=resamples, batch=batch,
        method="percentile", rng=random,
    )  # fmt: skip
    # The correction for bias counts the resamples below the value: one equal to it must not fall below
    # or above by the rounding of a sum.
    every = drawn.bootstrap_distribution
    every = np.where(np.abs(every - value) <= _rounding(every), value, every)
    method = "percentile bootstrap"
    if every.min() <= value <= every.max() and np.ptp(left_out) > _rounding(left_out):
        drawn = bootstrap(
            (sample,), statistic, vectorized=vectorized, n_resamples=0, batch=batch,
            method="BCa", bootstrap_result=replace(drawn, bootstrap_distribution=every),
        )  # fmt: skip
        method = "BCa bootstrap"
    low, high = (float(bound) for bound in drawn.confidence_interval)
    return Estimate(value=value, n=len(sample), low=low, high=high, method=method), every


def _jackknifed(measure: Measure, n: int) -> tuple[Estimate, float]:
    """Return the estimate of a measure and its standard error."""
    left_out = _left_out(measure, n)
    error = 0.0
    if np.ptp(left_out) > _rounding(left_out):
        error = float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))
    value, reach = float(measure(np.arange(n))), float(norm.ppf(0.975)) * error
    return Estimate(value=value, n=n, low=value - reach, high=value + reach, method="jackknife"), error


def _left_out(measure: Measure, n: int) -> np.ndarray:
    """Return the measure without each of the `n` images."""
    if n < 2:
        raise ValueError("one image has no interval")
    everything = np.arange(n)
    return np.array([measure(np.delete(everything, position)) for position in everything])


def _rounding(figures: np.ndarray) -> float:
    """Return how far apart two of these figures can be by rounding alone."""
    return _ROUNDING * float(np.abs(figures).max())
