"""Confidence intervals of a share, and of the difference between two independent ones."""

from math import hypot

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


def newcombe(one: tuple[int, int], other: tuple[int, int]) -> Estimate:
    """Estimate the difference one - other of two independent shares with its 95 % interval.

    Each is given as (successes, trials). The score interval of Newcombe (1998), Stat. Med. 17:873,
    method 10, which joins the two Wilson intervals. `n` counts all trials.
    """
    first, second = wilson(*one), wilson(*other)
    value = first.value - second.value
    return Estimate(
        value=value,
        n=first.n + second.n,
        low=value - hypot(first.value - first.low, second.high - second.value),
        high=value + hypot(first.high - first.value, second.value - second.low),
        method="Newcombe",
    )
