"""How surely a difference between two independent shares is known."""

from math import hypot
from typing import Any

from scipy.stats import fisher_exact

from experiments.statistics.intervals import wilson
from pipeline.result import Estimate


def fisher(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the two-sided p of Fisher's exact test that two (successes, trials) have the same share.

    Fisher (1935), J. R. Stat. Soc. 98:39.

    Raises:
        ValueError: if there are more successes than trials, or a negative number of them.
    """
    table = [[successes, trials - successes] for successes, trials in (one, other)]
    result: Any = fisher_exact(table)  # scipy declares no type for it
    return min(1.0, float(result.pvalue))


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
