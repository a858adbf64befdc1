"""A measured quantity together with how surely it is known."""

from experiments.frozen import Frozen


class Estimate(Frozen):
    """A value with its 95 % interval.

    `value`, `low` and `high` share one unit (accuracies are fractions in [0, 1]); `n` is the number
    of independent observations and `method` names how the interval was made, e.g. ``"wilson"``.
    """

    value: float
    n: int
    low: float
    high: float
    method: str
