"""One comparison before the family that it belongs to is known."""

from dataclasses import dataclass

import numpy as np

from experiments.results.captions import Unit
from experiments.statistics.paired import mean_difference
from experiments.statistics.significance import mcnemar
from pipeline.result import Estimate


@dataclass(frozen=True)
class Comparison:
    """The fields of `Tested` that a comparison knows by itself; `p` is not multiplied yet."""

    key: str
    stages: tuple[str, ...]
    unit: Unit
    one: float
    other: float
    difference: Estimate
    test: str
    p: float
    only_one: int | None = None
    only_other: int | None = None
    chosen_among: int = 1


@dataclass(frozen=True)
class Draws:
    """How the bootstrap draws: how often, and from which seed for each comparison."""

    seed: int
    resamples: int

    def random(self, key: str) -> np.random.Generator:
        """Return the random numbers of one comparison, which no other comparison changes."""
        return np.random.default_rng((self.seed, *key.encode()))


def paired_shares(
    key: str, stages: tuple[str, ...], one: np.ndarray, other: np.ndarray, draws: Draws
) -> Comparison:
    """Compare two sides that are right or wrong on the same items: boolean arrays of shape (N,)."""
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    return Comparison(
        key=key,
        stages=stages,
        unit="share",
        one=float(one.mean()),
        other=float(other.mean()),
        difference=mean_difference(
            other.astype(float), one.astype(float), draws.resamples, draws.random(key)
        ),
        test="McNemar's exact test",
        p=mcnemar(only_one, only_other),
        only_one=only_one,
        only_other=only_other,
    )
