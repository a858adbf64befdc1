"""Which classes and mistakes the figures show where there are too many to show all."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.evidence.order import mistakes
from experiments.results.classification import Classification

ALL = 20
"""Up to as many classes are shown without exception as rows of a figure."""
MATRIX = 12
"""Up to as many classes a confusion matrix can be read."""
EXTREMES = 10
MISTAKES = 10


@dataclass(frozen=True)
class Selection:
    """Classes by their positions, and mistakes as pairs of a true and a predicted class.

    `classes` are those that a figure shows, in its order: all in the data set's, or else the `hardest` and
    then the `easiest`, each by rising accuracy. `mistakes` are the most frequent of each classifier, by
    stage; there are none where a matrix can show all.
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
    made = {stage: _made(result) for stage, result in values.items()} if count > MATRIX else {}
    if count <= ALL:
        return Selection(tuple(range(count)), (), (), made)
    rising = sorted(range(count), key=lambda at: sum(result.per_class[at].value for result in results))
    hardest, easiest = tuple(rising[:EXTREMES]), tuple(rising[-EXTREMES:])
    return Selection((*hardest, *easiest), hardest, easiest, made)


def pair(values: Mapping[str, Classification]) -> tuple[str, ...]:
    """Return the two stages that stand side by side: the zero-shot model and the best other classifier.

    Without a zero-shot model they are the two best, and there may be one alone; of equals, the first.
    """
    best = sorted(values, key=lambda stage: (stage != "zero_shot", -values[stage].top1.value))
    return tuple(best[:2])


def _made(result: Classification) -> tuple[tuple[int, int], ...]:
    """Return the most frequent mistakes of a classifier, fewer where it makes fewer."""
    pairs = mistakes(result, MISTAKES)
    return tuple((true, called) for true, called in pairs if result.confusion[true][called])
