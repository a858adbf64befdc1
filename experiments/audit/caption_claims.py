"""What the brief says of its captions before and after fine-tuning, and of what is forgotten."""

import numpy as np

from experiments.audit.brief import EXAMPLES, STATEMENTS, Example
from experiments.audit.finding import Finding
from experiments.audit.run import Run
from experiments.audit.verdicts import sign_of
from experiments.captioning import health, style
from experiments.captioning.class_words import names_class
from experiments.captioning.words import words
from experiments.statistics.intervals import wilson
from experiments.statistics.paired import Measure, difference, jackknifed

_BRIEF = "the brief itself"


def caption_claims(run: Run) -> dict[str, Finding]:
    """Return what was found of each statement on captions."""
    return {
        "examples": _examples(),
        "caption_quality": _quality(),
        "visible_difference": _changed(run),
        "closer_to_style": _style(run),
        "no_forgetting": _forgetting(run),
    }


def distinct(examples: tuple[Example, ...]) -> list[Example]:
    """Return the examples that are no earlier one again, punctuation and spaces aside."""
    seen = {
        (words(example.reference), words(example.before), words(example.after)): example
        for example in reversed(examples)
    }
    return list(reversed(seen.values()))


def _examples() -> Finding:
    derived = {"shown": len(EXAMPLES), "distinct": len(distinct(EXAMPLES))}
    same = len(EXAMPLES) == STATEMENTS["examples"].stated
    verdict, reason = ("agrees", "each_once") if same else ("differs", "repeated")
    return Finding(verdict, reason, "count", _BRIEF, len(EXAMPLES), derived=derived)


def _quality() -> Finding:
    """Count the faults that this project looks for in captions among the brief's own tuned ones.

    The references beside them tell what they are to be measured by.
    """
    examples = distinct(EXAMPLES)
    captions = [example.after for example in examples]
    faulty = sum(map(_at_fault, captions))
    references = sum(_at_fault(example.reference) for example in examples)
    verdict, reason = ("differs", "faulty") if faulty > references else ("agrees", "sound")
    derived = {
        "part": faulty,
        "whole": len(captions),
        "cut_off": sum(health.cut_off(text, ended=True) for text in captions),
        "rambling": sum(map(health.rambles, captions)),
        "repeating": sum(map(health.repeats, captions)),
        "references_at_fault": references,
    }
    return Finding(verdict, reason, "count_of", _BRIEF, faulty, derived=derived)


def _at_fault(text: str) -> bool:
    return health.cut_off(text, ended=True) or health.rambles(text) or health.repeats(text)


def _changed(run: Run) -> Finding:
    records = run.generate.records
    changed = sum(record.before != record.after for record in records)
    if not run.is_the_briefs_tuning:
        verdict, reason = "not_comparable", "other_tuning"
    elif changed == len(records):
        verdict, reason = "agrees", "all_changed"
    else:
        verdict, reason = "differs", "some_unchanged"
    derived = {"part": changed, "whole": len(records)}
    return Finding(
        verdict, reason, "count_of", "captions.changed", wilson(changed, len(records)), derived=derived
    )


def _style(run: Run) -> Finding:
    """Measure the change of the distance between the words of the captions and of the references."""
    records = run.generate.records
    references = [record.references for record in records]

    def distance(captions: list[str]) -> Measure:
        return lambda at: style.distance(
            [captions[place] for place in at], [text for place in at for text in references[place]]
        )

    before, after = ([getattr(record, when) for record in records] for when in ("before", "after"))
    change = jackknifed(difference(distance(before), distance(after)), len(records))
    reason = {-1: "closer", 1: "further", 0: "unclear"}[sign_of(change)]
    verdict = {"closer": "agrees", "further": "differs", "unclear": "cannot_tell"}[reason]
    if not run.is_the_briefs_tuning:
        verdict, reason = "not_comparable", f"other_tuning_{reason}"
    return Finding(verdict, reason, "bits", "generate.records", change)  # pyright: ignore[reportArgumentType]


def _forgetting(run: Run) -> Finding:
    """Test the claim, which is one on LoRA as such: with the adapter switched off and with it on."""
    off_is_base = run.ablations.off_is_base
    tuned, labels = run.tuned, run.align.held_out_labels
    if tuned is None:
        reason = "base_alone" if off_is_base else "base_changed"
        return Finding("cannot_tell" if off_is_base else "differs", reason, "text", "ablations.off_is_base")
    before, after = (
        np.array(
            [names_class(text, label) for text, label in zip(captions, labels, strict=True)], dtype=float
        )
        for captions in (run.align.held_out_captions, tuned.held_out)
    )
    change = jackknifed(difference(_mean(before), _mean(after)), len(labels))
    if not off_is_base:
        verdict, reason = "differs", "base_changed"
    else:
        verdict, reason = {
            -1: ("differs", "lost_when_on"),
            1: ("agrees", "gained_when_on"),
            0: ("cannot_tell", "unclear_when_on"),
        }[sign_of(change)]
    derived = {"before": float(before.mean()), "after": float(after.mean()), "photos": len(labels)}
    return Finding(verdict, reason, "change", "variants.variants", change, derived=derived)  # pyright: ignore[reportArgumentType]


def _mean(right: np.ndarray) -> Measure:
    return lambda at: float(right[at].mean())
