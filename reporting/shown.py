"""What the pages show of lists that are too long to show whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.results.captions import ComparedRecord
from figures.selection import MISTAKES, Selection, selection
from reporting.blocks import CLASSIFIERS

PHOTOS = 100
"""How many evaluation photos the page of captions has room for."""
NAMES = 5


@dataclass(frozen=True)
class Shown:
    """Positions in the results: those of `names`, the classes that text lists, and of `photos`.

    `unclear` are the keys of the tests that found no difference that could be told.

    `classes` says what the figures show of the classes (None where there is no classifier), `mistakes` how
    many of each classifier they show at most.
    """

    names: tuple[int, ...]
    classes: Selection | None
    photos: tuple[int, ...]
    unclear: tuple[str, ...] = ()
    mistakes: int = MISTAKES


def shown(values: Mapping[str, Any]) -> Shown:
    """Select from the results of all stages, by stage."""
    classifiers = {stage: values[stage] for stage in CLASSIFIERS if stage in values}
    classes = selection(classifiers) if classifiers else None
    all_classes = classes is None or not classes.hardest
    names = classes.classes if classes is not None and all_classes else tuple(range(NAMES))
    photos = photos_shown(values["captions"].records) if "captions" in values else ()
    tests = values["evidence"].tests if "evidence" in values else {}
    unclear = tuple(key for key, test in tests.items() if test.verdict == "unclear")
    return Shown(names=names, classes=classes, photos=photos, unclear=unclear)


def photos_shown(records: Sequence[ComparedRecord]) -> tuple[int, ...]:
    """Return all positions, or where they are too many those whose score changed most, in rising order."""
    changes = [record.judged_after.score - record.judged_before.score for record in records]
    most = sorted(range(len(records)), key=lambda position: -abs(changes[position]))
    return tuple(sorted(most[:PHOTOS]))
