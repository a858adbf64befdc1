"""What the results of the captioner imply, as pure functions: the words are the claims' and the templates'.

Nothing here says more than a test allows: what the evidence cannot tell is unclear.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from experiments.results import key_of
from experiments.results.ablations import Variant
from experiments.results.captions import ComparedRecord, Comparison, Judged, Measured
from experiments.results.evidence import Evidence
from reporting.markdown import cut, words

Verdict = Literal["better", "worse", "changed", "unclear"]
Order = Literal["more", "less", "unclear"]

_FAULTS = ("wrong_class", "wrong_colour", "cut_off", "repeats", "rambles")
_ALIKE = 0.1
_QUOTED = 120
"""How many characters a caption has at most that running text quotes."""


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


def quoted(result: Comparison) -> tuple[int | None, int | None]:
    """Return which examples to quote: one as usual as can be, and one newly wrong about its photo.

    A caption is quoted whole or not at all. The usual one is the middle one of the examples that do not name
    a wrong class, or of all; it is None where none fits, as the other is where none is newly wrong.
    """
    short = [at for at in result.examples if _fits(result.records[at])]
    wrong = [at for at in short if _is_newly_wrong(result.records[at], "wrong_class")]
    coloured = [at for at in short if _is_newly_wrong(result.records[at], "wrong_colour")]
    usual = [at for at in short if not result.records[at].judged_after.wrong_class] or short
    manner = usual[len(usual) // 2] if usual else None
    return manner, next((at for at in (*wrong, *coloured) if at != manner), None)


def _fits(record: ComparedRecord) -> bool:
    before, after = words(record.before), words(record.after)
    return before != after and all(0 < len(" ".join(each)) <= _QUOTED for each in (before, after))


def _is_newly_wrong(record: ComparedRecord, fault: str) -> bool:
    return bool(getattr(record.judged_after, fault)) and not getattr(record.judged_before, fault)


def pieces(before: str, after: str) -> list[tuple[str, bool]]:
    """Return `after` as runs of words, each with whether it is new beside `before`.

    Words are compared in order, as a reader would mark a manuscript; of what is too long for a page, those
    that it shows.
    """
    old, new = words(cut(before)), words(cut(after))
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
