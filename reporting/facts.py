"""What a result implies, as pure functions: the words are the templates'."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.results.classification import Classification


def ranked(values: Mapping[str, Classification]) -> list[str]:
    """Return the stages by falling top-1 accuracy; equals keep their order."""
    return sorted(values, key=lambda stage: -values[stage].top1.value)


def overlap(one: Classification, other: Classification) -> bool:
    """Tell whether the intervals of two accuracies overlap."""
    return one.top1.low <= other.top1.high and other.top1.low <= one.top1.high


def at_chance(result: Classification) -> bool:
    """Tell whether an accuracy cannot be told from guessing among equally likely classes."""
    return result.top1.low <= 1 / len(result.classes)


def hardest(result: Classification) -> int:
    """Return the class with the lowest accuracy."""
    return min(range(len(result.classes)), key=lambda index: result.per_class[index].value)


def easiest(result: Classification) -> int:
    """Return the class with the highest accuracy."""
    return max(range(len(result.classes)), key=lambda index: result.per_class[index].value)


def main_confusion(result: Classification) -> tuple[int, int]:
    """Return the true and the predicted class of the most frequent mistake."""
    indices = range(len(result.classes))
    mistakes = ((true, predicted) for true in indices for predicted in indices if true != predicted)
    return max(mistakes, key=lambda pair: result.confusion[pair[0]][pair[1]])


def by_versions(envelopes: Mapping[str, Any], stages: Sequence[str]) -> list[list[str]]:
    """Return the stages in groups that were run with the same versions of the same libraries."""
    groups: list[list[str]] = []
    for stage in stages:
        for group in groups:
            if envelopes[group[0]].provenance.versions == envelopes[stage].provenance.versions:
                group.append(stage)
                break
        else:
            groups.append([stage])
    return groups


def packages(envelopes: Mapping[str, Any], stages: Sequence[str]) -> list[str]:
    """Return every library that a run recorded, in the order of its first mention."""
    return list(dict.fromkeys(name for stage in stages for name in envelopes[stage].provenance.versions))
