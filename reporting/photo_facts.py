"""What is to be said of the two captions of one photo, as pure functions: the words are the templates'."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Literal

from experiments.captioning.scoring.grounding import colours
from experiments.captioning.scoring.words import words
from experiments.results.captions import ComparedRecord, Judged
from reporting.caption_facts import faults

Subject = Literal[
    "still_right", "now_right", "was_right", "still_wrong", "now_wrong", "not_named_now", "still_not_named"
]

_LEAST = 1.0
"""By fewer points of the score a caption counts as neither nearer to the references nor further from them."""


@dataclass(frozen=True)
class Remark:
    """How the caption after fine-tuning stands beside the one before, and beside the references.

    `length` is in words, `score` says whether it is nearer to the references. `subject` tells what became of
    the class, None where the photo has none; `another` whether a wrong class is named beside the right one.
    `right` are its colours that a reference names as well, `wrong` the other ones, each in the caption's
    order. `unsound` are its faults as a sentence. A caption that is `same` as before has no length and no
    score.
    """

    same: bool
    length: Literal["longer", "shorter", "as_long"]
    score: Literal["nearer", "further", "as_near"]
    subject: Subject | None
    another: bool
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    unsound: tuple[str, ...]


def remark(record: ComparedRecord) -> Remark:
    """Return what there is to say of a photo's captions."""
    longer = len(words(record.after)) - len(words(record.before))
    nearer = rise(record)
    right, wrong = _colours(record)
    subject = _subject(record.judged_before, record.judged_after)
    return Remark(
        same=record.before == record.after,
        length="longer" if longer > 0 else "shorter" if longer < 0 else "as_long",
        score="nearer" if nearer >= _LEAST else "further" if nearer <= -_LEAST else "as_near",
        subject=subject,
        another=subject in {"still_right", "now_right"} and record.judged_after.wrong_class is True,
        right=right,
        wrong=wrong,
        unsound=tuple(
            fault for fault in ("cut_off", "repeats", "rambles") if getattr(record.judged_after, fault)
        ),
    )


def rise(record: ComparedRecord) -> float:
    """Return by how many points the score of a photo's caption rose, as exactly as scores are kept."""
    return round(record.judged_after.score - record.judged_before.score, 2)


def are_even_steps(quantiles: Sequence[float]) -> bool:
    """Tell whether quantiles lead from the least to the most by equal steps."""
    even = (at / max(len(quantiles) - 1, 1) for at in range(len(quantiles)))
    return len(quantiles) > 2 and all(map(isclose, quantiles, even))


def is_flagged(record: ComparedRecord) -> bool:
    """Tell whether anything counts against the caption after fine-tuning."""
    return bool(faults(record.judged_after))


def _subject(before: Judged, after: Judged) -> Subject | None:
    if after.right_class is None:
        return None
    if after.right_class:
        return "still_right" if before.right_class else "now_right"
    if before.right_class:
        return "was_right" if after.wrong_class else "not_named_now"
    if after.wrong_class:
        return "still_wrong" if before.wrong_class else "now_wrong"
    return "not_named_now" if before.wrong_class else "still_not_named"


def _colours(record: ComparedRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the colours of the caption after fine-tuning that a reference names, and the other ones."""
    written = [colour for word in words(record.after) for colour in colours(word)]
    named = colours(" ".join(record.references))
    each = dict.fromkeys(written)
    return tuple(one for one in each if one in named), tuple(one for one in each if one not in named)
