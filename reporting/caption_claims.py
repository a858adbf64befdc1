"""What the report claims of the captions before and after fine-tuning."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from experiments.results import key_of
from experiments.results.captions import Comparison, Family, Measured
from experiments.results.evidence import Evidence
from reporting.claims import (
    Claim,
    Leaning,
    Word,
    balance,
    by_fact,
    by_test,
    leaning,
    measures_of,
    sides,
    together,
    wordings,
)

LEADING = "cider_d"
"""The measure that stands for all of the agreement with the references."""


def caption_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims on all captions together, then one for each measure."""
    result: Comparison = values["captions"]
    evidence: Evidence = values["evidence"]
    yield _changed(result)
    if "lora" in values:
        yield _summary(result, evidence)
    if not result.changed:
        return
    found = _found(result, evidence, "agreement")
    names = {key_of.caption(each.key): _what(at, each) for at, each in enumerate(result.measures)}
    leading = sides(evidence, key_of.caption(LEADING))
    leading["leading"] = names[key_of.caption(LEADING)]
    yield together(found, names, id="agreement", group="agreement of captions", words=leading)
    distance, length = key_of.caption("distance"), key_of.caption("length")
    yield by_test(evidence, distance, lower=True, good=True, id="closer_in_style", group="captions")
    yield by_test(evidence, distance, lower=True, good=True, id="manner", group="captions")
    yield by_test(evidence, length, id="longer", group="captions")
    yield from _grounding(result, evidence)
    yield _health(result, evidence)
    yield _taken_together(distance, result, evidence)
    for position, measure in enumerate(result.measures):
        yield _measure(position, measure, evidence)


def _changed(result: Comparison) -> Claim:
    every = result.changed == len(result.records)
    return Claim(
        id="captions_changed",
        group="captions",
        says=by_fact(result.changed > 0),
        outcome="every" if every else "",
        words={"changed": ("count", "captions.changed"), "all": ("length", "captions.records")},
        facts=("captions.changed",),
    )


def _summary(result: Comparison, evidence: Evidence) -> Claim:
    """Say in one sentence whether fine-tuning brought the captions nearer to the references."""
    words: Mapping[str, Word] = {"photos": ("count", "lora.images")}
    found = _found(result, evidence, "agreement")
    claim = together(found, id="summary_captions", group="summary", words=words, facts=("lora.images",))
    return claim if result.changed else replace(claim, says="fails", outcome="fails")


def _found(result: Comparison, evidence: Evidence, family: Family) -> dict[str, Leaning]:
    """Return what became better and what worse of a family of measures that have a better side, by test."""
    measures = (each for each in result.measures if each.family == family and each.better != "neither")
    tests = {key_of.caption(each.key): each.better for each in measures}
    return {test: leaning(evidence, test, better) for test, better in tests.items()}


def _grounding(result: Comparison, evidence: Evidence) -> Iterator[Claim]:
    """Yield what became of what the captions say of the photo, where that can be judged."""
    found = _found(result, evidence, "grounding")
    if not found:
        return
    names: dict[str, Word] = {}
    for test, leant in found.items():
        phrases = wordings()[f"grounding_{'worse' if leant == 'worse' else 'better'}"]
        names[test] = phrases[test.removeprefix(key_of.caption(""))]
    yield together(found, names, id="grounding", group="grounding of captions")


def _health(result: Comparison, evidence: Evidence) -> Claim:
    """Say how sound the captions are as sentences; that all are sound is no change that could be told."""
    found = _found(result, evidence, "health")
    names: dict[str, Word] = {
        test: wordings()["faults"][test.removeprefix(key_of.caption(""))] for test in found
    }
    claim = together(found, names, last="or", id="health", group="health of captions")
    whole = {"higher": 1.0, "lower": 0.0}
    sound = all(
        (each.before.value, each.after.value) == (whole[each.better],) * 2
        for each in result.measures
        if key_of.caption(each.key) in found
    )
    return replace(claim, outcome="sound") if sound else claim


def _taken_together(distance: str, result: Comparison, evidence: Evidence) -> Claim:
    """Say what became of the manner, and of what the captions say of the photo, in one sentence."""
    manner = leaning(evidence, distance, "lower")
    found = _found(result, evidence, "grounding")
    about = balance(found).removeprefix("partly_")
    joint = "but" if about in ("better", "worse") and about != manner else "and"
    phrase = f", {joint} {wordings()['taken_together_grounding'][about]}" if found else ""
    return by_test(
        evidence,
        distance,
        *found,
        lower=True,
        id="taken_together",
        group="captions",
        words={"grounding": phrase},
    )


def _what(position: int, measure: Measured) -> Word:
    """Return what a measure is called in a sentence: in words, or by its own name."""
    return wordings()["measure_is"].get(measure.key, ("text", f"captions.measures.{position}.name"))


def _measure(position: int, measure: Measured, evidence: Evidence) -> Claim:
    """Say where one measure went."""
    test = evidence.tests[key_of.caption(measure.key)]
    stayed = test.one == test.other
    better = measure.better != "lower"
    claim = by_test(
        evidence,
        key_of.caption(measure.key),
        good=None if measure.better == "neither" else better,
        id=key_of.caption(measure.key),
        wording="measure",
        group=measures_of(measure.family),
        words={"what": _what(position, measure), "unit": " bits" if measure.unit == "bits" else ""},
    )
    return replace(claim, outcome="stayed") if stayed else claim
