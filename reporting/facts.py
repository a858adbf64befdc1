"""What a result implies, as pure functions: the words are the templates'."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.results.classification import Classification


def by_accuracy(result: Classification, *, lowest: bool) -> list[int]:
    """Return the classes by rising accuracy if the `lowest` comes first, else by falling."""
    sign = 1 if lowest else -1
    return sorted(range(len(result.classes)), key=lambda at: sign * result.per_class[at].value)


def mistakes(result: Classification) -> list[tuple[int, int]]:
    """Return every pair of a true and another, predicted class by falling number of images."""
    classes = range(len(result.classes))
    pairs = [(true, called) for true in classes for called in classes if true != called]
    return sorted(pairs, key=lambda pair: -result.confusion[pair[0]][pair[1]])


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
