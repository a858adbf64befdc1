"""In which order a classifier's classes and mistakes come: one order for what is tested and what is said."""

import heapq

from experiments.results.classification import Classification
from experiments.results.key_of import Extreme


def by_accuracy(result: Classification, first: Extreme) -> list[int]:
    """Return the classes by accuracy, the hardest or the easiest `first`."""
    sign = 1 if first == "hardest" else -1
    return sorted(range(len(result.classes)), key=lambda at: sign * result.per_class[at].value)


def mistakes(result: Classification, most: int) -> list[tuple[int, int]]:
    """Return the `most` frequent pairs of a true and another, predicted class by falling number of images.

    They are fewer if there are no more pairs; of equals, the first in the order of classes comes first.
    """
    kinds = range(len(result.confusion))
    pairs = ((actual, called) for actual in kinds for called in kinds if actual != called)
    return heapq.nsmallest(most, pairs, key=lambda pair: -result.confusion[pair[0]][pair[1]])
