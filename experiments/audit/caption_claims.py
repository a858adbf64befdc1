"""What the brief says of its captions before and after fine-tuning, and of what is forgotten."""

from collections.abc import Mapping

from experiments.audit.brief import EXAMPLES, STATEMENTS, Example
from experiments.audit.finding import Finding
from experiments.audit.run import Run
from experiments.captioning.scoring import health
from experiments.captioning.scoring.words import words
from experiments.results.audit import Verdict
from experiments.results.evidence import Verdict as Compared
from experiments.statistics.intervals import wilson

_BRIEF = "the brief itself"

_STYLE: Mapping[Compared, tuple[Verdict, str]] = {
    "lower": ("agrees", "closer"),
    "higher": ("differs", "further"),
    "unclear": ("cannot_tell", "unclear"),
}
_FORGETTING: Mapping[Compared, tuple[Verdict, str]] = {
    "lower": ("differs", "lost_when_on"),
    "higher": ("agrees", "gained_when_on"),
    "unclear": ("cannot_tell", "unclear_when_on"),
}


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
    """Read whether the words of the captions came closer to those of the references."""
    test = run.evidence.tests["caption_distance"]
    verdict, reason = _STYLE[test.verdict]
    if not run.is_the_briefs_tuning:
        verdict, reason = "not_comparable", f"other_tuning_{reason}"
    return Finding(verdict, reason, "bits", "evidence.tests.caption_distance", test.difference)


def _forgetting(run: Run) -> Finding:
    """Look into the claim, which is one on LoRA as such: with the adapter switched off and with it on."""
    off_is_base, test = run.ablations.off_is_base, run.forgetting
    if test is None:
        reason = "base_alone" if off_is_base else "base_changed"
        return Finding("cannot_tell" if off_is_base else "differs", reason, "text", "ablations.off_is_base")
    verdict, reason = _FORGETTING[test.verdict] if off_is_base else ("differs", "base_changed")
    derived = {"before": test.other, "after": test.one, "photos": test.difference.n}
    return Finding(verdict, reason, "change", "evidence.tests", test.difference, derived=derived)
