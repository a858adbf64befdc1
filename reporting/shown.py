"""What the pages show of lists that are too long to show whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.evidence.order import mistakes
from experiments.results.captions import ComparedRecord, Measured
from figures.calibration import Calibration, calibrations
from figures.selection import MISTAKES, Selection, pair, selection
from figures.shifts import Shift, shifts
from reporting.blocks import CLASSIFIERS

PHOTOS = 100
"""How many evaluation photos the page of captions has room for."""
NAMES = 5
MEASURES = (
    "cider_d",
    "rouge_l",
    "distance",
    "length",
    "right_class",
    "right_colour",
    "wrong_colour",
    "rambles",
)
"""The measures of the table of what changed, in its order, by key: how near the references captions come, in
what manner they are written, what of the photo they say, and whether they are sound.

They are chosen for what they ask, never for how they came out; the appendix has all."""
PICTURES = 6
"""How many mistakes of each classifier are shown with their picture: a row on paper."""


@dataclass(frozen=True)
class Shown:
    """Positions in the results: of `names`, the classes that text lists, of `photos` and of `measures`.

    `measures` are those of the table of what changed. `classes` says what the figures show of the classes
    (None where there is no classifier), `mistakes` how many of each classifier they show at most, and
    `pictures` how many with their picture. `pair` are the stages of the classifiers whose confusion stands
    side by side, `frequent` the most frequent mistake of each classifier that makes one: the true class and
    the predicted one. `calibration` says by stage how far a classifier's confidence holds, and `rising` and
    `falling` are the words that captions use more often and less often than before fine-tuning.
    `unclear` are the keys of the tests that found no difference that could be told.
    """

    names: tuple[int, ...]
    classes: Selection | None
    photos: tuple[int, ...]
    measures: tuple[int, ...]
    pair: tuple[str, ...]
    frequent: Mapping[str, tuple[int, int]]
    calibration: Mapping[str, Calibration]
    rising: tuple[Shift, ...]
    falling: tuple[Shift, ...]
    unclear: tuple[str, ...]
    mistakes: int = MISTAKES
    pictures: int = PICTURES


def shown(values: Mapping[str, Any]) -> Shown:
    """Select from the results of all stages, by stage."""
    classifiers = {stage: values[stage] for stage in CLASSIFIERS if stage in values}
    classes = selection(classifiers) if classifiers else None
    all_classes = classes is None or not classes.hardest
    data = values.get("data_sets")
    records = values["captions"].records if "captions" in values else ()
    rising, falling = shifts(records) if records else ((), ())
    tests = values["evidence"].tests if "evidence" in values else {}
    return Shown(
        names=classes.classes if classes is not None and all_classes else tuple(range(NAMES)),
        classes=classes,
        photos=photos_shown(records),
        measures=measures_shown(values["captions"].measures) if "captions" in values else (),
        pair=pair(classifiers),
        frequent={
            stage: mistakes(result, 1)[0] for stage, result in classifiers.items() if result.top1.value < 1
        },
        calibration=calibrations(classifiers, data.labels, data.labels_sha256) if data else {},
        rising=rising,
        falling=falling,
        unclear=tuple(key for key, test in tests.items() if test.verdict == "unclear"),
    )


def measures_shown(measures: Sequence[Measured]) -> tuple[int, ...]:
    """Return the positions of those of `MEASURES` that were measured, in their order there."""
    positions = {measure.key: position for position, measure in enumerate(measures)}
    return tuple(positions[key] for key in MEASURES if key in positions)


def photos_shown(records: Sequence[ComparedRecord]) -> tuple[int, ...]:
    """Return all positions, or where they are too many those whose score changed most, in rising order."""
    changes = [record.judged_after.score - record.judged_before.score for record in records]
    most = sorted(range(len(records)), key=lambda position: -abs(changes[position]))
    return tuple(sorted(most[:PHOTOS]))
