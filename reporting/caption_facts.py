"""What the results of the captioner imply, as pure functions: the words are the templates'.

Nothing here says more than an interval allows: a difference whose interval includes zero is unclear.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from experiments.results.ablations import Variant
from experiments.results.captions import Judged, Measured
from experiments.results.estimate import Estimate
from experiments.results.lora import Lora
from reporting.markdown import words

Direction = Literal["rose", "fell", "unclear"]
Verdict = Literal["better", "worse", "changed", "unclear"]
Order = Literal["more", "less", "unclear"]

_FAULTS = ("wrong_class", "wrong_colour", "cut_off", "repeats", "rambles")
_ALIKE = 0.05


def direction(difference: Estimate) -> Direction:
    """Tell which way a difference goes, if its interval excludes zero."""
    return "rose" if difference.low > 0 else "fell" if difference.high < 0 else "unclear"


def verdict(measure: Measured) -> Verdict:
    """Tell whether a measure is better or worse after fine-tuning.

    One that merely describes can only have changed.
    """
    moved = direction(measure.difference)
    if moved == "unclear":
        return "unclear"
    if measure.better == "neither":
        return "changed"
    return "better" if (moved == "rose") == (measure.better == "higher") else "worse"


def with_verdict(
    measures: Sequence[Measured], wanted: Verdict, families: Sequence[str] | None = None
) -> list[int]:
    """Return the positions of the measures with a verdict, of the given families or of all."""
    return [
        position
        for position, measure in enumerate(measures)
        if verdict(measure) == wanted and (families is None or measure.family in families)
    ]


def by_family(measures: Sequence[Measured]) -> list[tuple[str, list[int]]]:
    """Return the positions of the measures of each family, families in the order of their first measure."""
    families = list(dict.fromkeys(measure.family for measure in measures))
    return [
        (family, [position for position, measure in enumerate(measures) if measure.family == family])
        for family in families
    ]


def position_of(measures: Sequence[Measured], key: str) -> int | None:
    """Return the position of the measure called `key`, or None where there is none."""
    return next((position for position, measure in enumerate(measures) if measure.key == key), None)


def faults(judged: Judged) -> list[str]:
    """Return the names of the fields that count against a caption, and ``no_class`` where it names none."""
    found = [fault for fault in _FAULTS if getattr(judged, fault)]
    return ["no_class", *found] if judged.right_class is False and not judged.wrong_class else found


def pieces(before: str, after: str) -> list[tuple[str, bool]]:
    """Return `after` as runs of words, each with whether it is new beside `before`.

    Words are compared in order, as a reader would mark a manuscript.
    """
    old, new = words(before), words(after)
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(" ".join(new[start:end]), step != "equal") for step, _, _, start, end in steps if end > start]


def base_of(variants: Sequence[Variant]) -> int | None:
    """Return the position of the captioner that is not tuned."""
    return _only(variants, "base")


def full_of(variants: Sequence[Variant]) -> int | None:
    """Return the position of full fine-tuning."""
    return _only(variants, "full")


def adapters_of(variants: Sequence[Variant]) -> list[int]:
    """Return the positions of the variants that are adapters."""
    return [position for position, variant in enumerate(variants) if variant.kind == "lora"]


def main_of(variants: Sequence[Variant], lora: Lora | None) -> int | None:
    """Return the position of the adapter that the report is about.

    It is the one tuned as `lora`; where there is no such result, the one with the most parameters.
    """
    adapters = adapters_of(variants)
    same = [
        position
        for position in adapters
        if lora is not None
        and variants[position].rank == lora.r
        and set(variants[position].targets) == set(lora.targets)
    ]
    if lora is not None or not adapters:
        return same[0] if same else None
    return max(adapters, key=lambda position: variants[position].trainable)


def rank_series(variants: Sequence[Variant], main: int) -> list[int]:
    """Return the positions of the adapters that differ from `main` in rank alone, by rising rank."""
    same = [
        position
        for position in adapters_of(variants)
        if set(variants[position].targets) == set(variants[main].targets)
    ]
    return sorted(same, key=lambda position: variants[position].rank or 0)


def enough_rank(variants: Sequence[Variant], series: Sequence[int]) -> int:
    """Return the first variant of a rising series from which on more rank shows nothing.

    That is: from it on, every interval of the distance to the references' style overlaps the last one's.
    """
    enough = series[-1]
    for position in reversed(series):
        if compare(variants[position].distance, variants[series[-1]].distance) != "unclear":
            break
        enough = position
    return enough


def with_change(variants: Sequence[Variant], wanted: Direction) -> list[int]:
    """Return the positions of the variants whose held-out accuracy went that way against the base."""
    return [
        position
        for position, variant in enumerate(variants)
        if variant.forgotten is not None and direction(variant.forgotten) == wanted
    ]


def fewer_targets(variants: Sequence[Variant], main: int) -> list[int]:
    """Return the positions of the adapters of the same rank as `main` with fewer targets."""
    return [
        position
        for position in adapters_of(variants)
        if variants[position].rank == variants[main].rank
        and set(variants[position].targets) < set(variants[main].targets)
    ]


def compare(one: Estimate, other: Estimate) -> Order:
    """Tell whether one estimate is more or less than another, if their intervals do not overlap.

    Overlapping intervals may belong to different values all the same: this errs to the side of caution.
    """
    if one.low <= other.high and other.low <= one.high:
        return "unclear"
    return "more" if one.value > other.value else "less"


def cost(one: float, other: float) -> Order:
    """Tell whether one cost is more or less than another by more than a twentieth."""
    if abs(one - other) <= _ALIKE * max(one, other):
        return "unclear"
    return "more" if one > other else "less"


def _only(variants: Sequence[Variant], kind: str) -> int | None:
    return next((position for position, variant in enumerate(variants) if variant.kind == kind), None)
