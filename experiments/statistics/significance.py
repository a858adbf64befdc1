"""How surely two figures differ at all, and what remains of that where many are looked at."""

import math
from collections.abc import Mapping
from typing import Any

from scipy.stats import binomtest, fisher_exact


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test of two classifiers on the same images.

    `only_first` counts the images that only the first gets right, `only_second` those that only the
    second does; the images on which they agree tell nothing (McNemar 1947, Psychometrika 12:153).
    Without a difference each such image falls to either side like a coin, whence a binomial test,
    computed by `scipy.stats.binomtest`; without such an image p is 1.

    Raises:
        ValueError: if a count is negative.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"counts of images cannot be negative: {only_first} and {only_second}")
    if only_first == only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def fisher(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the two-sided p of Fisher's exact test that two (successes, trials) have the same share.

    Fisher (1935), J. R. Stat. Soc. 98:39.

    Raises:
        ValueError: if there are more successes than trials, or a negative number of them.
    """
    table = [[successes, trials - successes] for successes, trials in (one, other)]
    result: Any = fisher_exact(table)  # scipy declares no type for it
    return min(1.0, float(result.pvalue))


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Adjust the p-values of one family of tests, under the same names and in the same order.

    Whoever claims what is adjusted to at most 0.05 claims anything wrong in at most 5 % of families,
    however the tests depend on one another (Holm 1979, Scand. J. Stat. 6:65). Written here because
    scipy has no such adjustment and statsmodels is a large dependency for six lines.

    Raises:
        ValueError: if a p-value is not in [0, 1].
    """
    for name, own in p.items():
        if not 0 <= own <= 1:
            raise ValueError(f"{name}: {own} is not a p-value, which lies between 0 and 1")
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p, key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * float(p[name])))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p}


def least_resamples(tests: int, candidates: int, significance: float) -> int:
    """Return how many resamples a bootstrap test needs to be able to find anything in a family of `tests`.

    The smallest p of R resamples is 2 / (R + 1). At worst it is multiplied by the number of `tests` in the
    family and by that of the `candidates` that the tested pair was picked from.
    """
    return math.ceil(2 * tests * candidates / significance)
