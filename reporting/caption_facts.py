"""What the results of the captioner imply, as pure functions: the words are the claims' and the templates'.

Nothing here says more than a test allows: what the evidence cannot tell is unclear.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from experiments.results import key_of
from experiments.results.ablations import Variant
from experiments.results.captions import Family, Judged, Measured
from experiments.results.evidence import Evidence
from reporting.markdown import words

Verdict = Literal["better", "worse", "changed", "unclear"]
Balance = Literal["both", "better", "worse", "neither"]
Order = Literal["more", "less", "unclear"]

_FAULTS = ("wrong_class", "wrong_colour", "cut_off", "repeats", "rambles")
_ALIKE = 0.1


def verdict(measure: Measured, evidence: Evidence) -> Verdict:
    """Tell whether a measure is better or worse after fine-tuning.

    One that merely describes can only have changed.
    """
    moved = evidence.tests[key_of.caption(measure.key)].verdict
    if moved == "unclear":
        return "unclear"
    if measure.better == "neither":
        return "changed"
    return "better" if moved == measure.better else "worse"


def with_verdict(measures: Sequence[Measured], evidence: Evidence, wanted: Verdict) -> list[int]:
    """Return the positions of the measures with a verdict."""
    return [at for at, measure in enumerate(measures) if verdict(measure, evidence) == wanted]


def balance(measures: Sequence[Measured], evidence: Evidence, family: Family) -> Balance:
    """Tell whether measures of a family became better, worse, both or neither."""
    found = {verdict(measure, evidence) for measure in measures if measure.family == family}
    if {"better", "worse"} <= found:
        return "both"
    return "better" if "better" in found else "worse" if "worse" in found else "neither"


def by_family(measures: Sequence[Measured]) -> list[tuple[str, list[int]]]:
    """Return the positions of the measures of each family, families in the order of their first measure."""
    families = list(dict.fromkeys(measure.family for measure in measures))
    return [
        (family, [position for position, measure in enumerate(measures) if measure.family == family])
        for family in families
    ]


def faults(judged: Judged) -> list[str]:
    """Return the names of the fields that count against a caption, and ``no_class`` where it names none."""
    found = [fault for fault in _FAULTS if getattr(judged, fault)]
    return ["no_class", *found] if judged.right_class is False and not judged.wrong_class else found


def pieces(before: str, after: str) -> list[tuple[str, bool]]:
    """Return `after` as runs of words, each with whether it is new beside `before`.

    Words are compared in order, as a reader would mark a manuscript.
    """
    old, new = words(before), words(after)
    if old == new:
        return [(" ".join(new), False)] if new else []
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(" ".join(new[start:end]), step != "equal") for step, _, _, start, end in steps if end > start]


def full_of(variants: Sequence[Variant]) -> int | None:
    """Return the position of full fine-tuning."""
    return next((position for position, variant in enumerate(variants) if variant.kind == "full"), None)


def adapters_of(variants: Sequence[Variant]) -> list[int]:
    """Return the positions of the variants that are adapters."""
    return [position for position, variant in enumerate(variants) if variant.kind == "lora"]


def rank_series(variants: Sequence[Variant], main: int) -> list[int]:
    """Return the positions of the adapters that differ from `main` in rank alone, by rising rank."""
    same = [
        position
        for position in adapters_of(variants)
        if set(variants[position].targets) == set(variants[main].targets)
    ]
    return sorted(same, key=lambda position: variants[position].rank or 0)


def enough_rank(variants: Sequence[Variant], series: Sequence[int], evidence: Evidence) -> int:
    """Return the first of a rising series from which on more rank shows nothing.

    That is: from it on, none can be told from the last by the distance to the references' style.
    """
    enough = series[-1]
    for position in reversed(series[:-1]):
        if evidence.tests[key_of.distance(variants[position].key)].verdict != "unclear":
            break
        enough = position
    return enough


def fewer_targets(variants: Sequence[Variant], main: int) -> list[int]:
    """Return the positions of the adapters of the same rank as `main` with fewer targets."""
    return [
        position
        for position in adapters_of(variants)
        if variants[position].rank == variants[main].rank
        and set(variants[position].targets) < set(variants[main].targets)
    ]


def by_last_loss(variants: Sequence[Variant]) -> tuple[int, int]:
    """Return the positions of the tuned variants whose last loss is the lowest and the highest."""
    losses = [(each.last_loss, at) for at, each in enumerate(variants) if each.last_loss is not None]
    return min(losses)[1], max(losses)[1]


def cost(one: float, other: float) -> Order:
    """Tell whether one cost is more or less than another by more than a tenth: each comes from one run."""
    if abs(one - other) <= _ALIKE * max(one, other):
        return "unclear"
    return "more" if one > other else "less"
