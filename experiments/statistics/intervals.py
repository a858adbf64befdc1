"""Confidence intervals."""

from scipy.stats import binomtest

from pipeline.result import Estimate


def wilson(successes: int, n: int) -> Estimate:
    """Estimate a proportion with its 95 % Wilson score interval.

    Wilson (1927), J. Am. Stat. Assoc. 22:209; computed by `scipy.stats.binomtest`.

    Raises:
        ValueError: if not 0 <= successes <= n or n < 1.
    """
    interval = binomtest(successes, n).proportion_ci(confidence_level=0.95, method="wilson")
    return Estimate(
        value=successes / n, n=n, low=float(interval.low), high=float(interval.high), method="wilson"
    )
