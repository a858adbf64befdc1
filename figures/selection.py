"""Which classes and mistakes the figures show where there are too many to show all."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.evidence.order import mistakes
from experiments.results.classification import Classification

ALL = 20
"""Up to as many classes are shown without exception."""
EXTREMES = 10
MISTAKES = 10


@dataclass(frozen=True)
class Selection:
    """Classes by their positions, and mistakes as pairs of a true and a predicted class.

    `classes` are those that a figure shows, in its order: all in the data set's, or else the `hardest` and
    then the `easiest`, each by rising accuracy. `mistakes` are the most frequent of each classifier, by
    stage; there are none where all classes are shown.
    """

    classes: tuple[int, ...]
    hardest: tuple[int, ...]
    easiest: tuple[int, ...]
    mistakes: Mapping[str, tuple[tuple[int, int], ...]]


def selection(values: Mapping[str, Classification]) -> Selection:
    """Select from the classes of classifiers of the same images.

    A class is as hard as it is for all of them together: by the mean of their accuracies within it.
    """
    results = list(values.values())
    count = len(results[0].classes)
    if count <= ALL:
        return Selection(tuple(range(count)), (), (), {})
    rising = sorted(range(count), key=lambda at: sum(result.per_class[at].value for result in results))
    hardest, easiest = tuple(rising[:EXTREMES]), tuple(rising[-EXTREMES:])
    made = {
        stage: tuple(pair for pair in mistakes(result, MISTAKES) if result.confusion[pair[0]][pair[1]])
        for stage, result in values.items()
    }
    return Selection((*hardest, *easiest), hardest, easiest, made)
