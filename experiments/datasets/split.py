"""Which images of a class are for testing, where a data set does not say."""

import numpy as np


def drawn_for_testing(count: int, share: float, seed: int, label: int) -> np.ndarray:
    """Draw the share of `count` images of a class, one at least and never all: a mask of shape (count,).

    Each class has its own random numbers, so that another class more or less changes nothing.
    """
    order = np.random.default_rng((seed, label)).permutation(count)
    tested = np.zeros(count, dtype=bool)
    tested[order[: min(max(1, round(share * count)), max(0, count - 1))]] = True
    return tested
