"""How surely a difference between two treatments of the same images is known."""

from collections.abc import Callable

import numpy as np
from scipy.stats import bootstrap, norm

from experiments.results.estimate import Estimate

Measure = Callable[[np.ndarray], float]
"""A figure of the images at the given positions, which may hold an image twice or not at all.

A mean of scores is ``lambda at: scores[at].mean()``; a figure of a whole corpus is computed afresh."""


def difference(before: Measure, after: Measure) -> Measure:
    """Return after - before as a measure of its own: at the same images, hence paired."""
    return lambda at: after(at) - before(at)


def bootstrapped(measure: Measure, n: int, resamples: int, random: np.random.Generator) -> Estimate:
    """Estimate a measure of `n` images with its 95 % percentile bootstrap interval.

    Images are drawn with replacement (Efron 1979; Koehn 2004, W04-3250, for text), by
    `scipy.stats.bootstrap`. Percentiles rather than BCa, which has no answer where all images agree.

    Raises:
        ValueError: if n < 2.
    """
    # As floats, because scipy would round the bounds of a measure that counts to whole numbers.
    drawn = bootstrap(
        (np.arange(n),), lambda at: float(measure(at)), vectorized=False, n_resamples=resamples,
        method="percentile", rng=random,
    )  # fmt: skip
    interval = drawn.confidence_interval
    return Estimate(
        value=float(measure(np.arange(n))),
        n=n,
        low=float(interval.low),
        high=float(interval.high),
        method="percentile bootstrap",
    )


def jackknifed(measure: Measure, n: int) -> Estimate:
    """Estimate a measure of `n` images with its 95 % interval by leaving out one image at a time.

    For counts of different words, which the bootstrap cannot do: every resample repeats images and so
    has fewer words than the whole. The jackknife errs to the side of caution (Efron & Stein 1981,
    Ann. Stat. 9:586).

    Raises:
        ValueError: if n < 2.
    """
    if n < 2:
        raise ValueError("one image has no interval")
    everything = np.arange(n)
    left_out = np.array([measure(np.delete(everything, position)) for position in everything])
    error = float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))
    value, reach = float(measure(everything)), float(norm.ppf(0.975)) * error
    return Estimate(value=value, n=n, low=value - reach, high=value + reach, method="jackknife")
