"""What guessing reaches."""

from collections.abc import Collection


def chance(counts: Collection[int]) -> float:
    """Return the accuracy of always naming the most frequent class: 1 / k where all k are as frequent.

    `counts` says how many images there are of each class.
    """
    return max(counts) / sum(counts)
