"""From a figure and what is stated of it to a verdict."""

from experiments.results.audit import Verdict
from pipeline.result import Estimate


def held_against(measured: Estimate, low: float, high: float) -> Verdict:
    """Hold an interval against the range from `low` to `high`.

    It agrees if it lies within the range, differs if it lies wholly outside; otherwise the sample is too
    small to tell.
    """
    if low <= measured.low and measured.high <= high:
        return "agrees"
    return "differs" if measured.high < low or high < measured.low else "cannot_tell"
