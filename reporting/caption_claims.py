"""What the report claims of the captions before and after fine-tuning."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.results import key_of
from experiments.results.captions import Comparison, Measured
from experiments.results.evidence import Evidence
from reporting.caption_facts import Verdict, balance, verdict
from reporting.claims import Claim, Says, by_fact, by_test, measures_of, sides, wordings

_SAYS: Mapping[Verdict, Says] = {
    "better": "holds",
    "worse": "fails",
    "changed": "holds",
    "unclear": "unclear",
}


def caption_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims on all captions together, then one for each measure."""
    result: Comparison = values["captions"]
    evidence: Evidence = values["evidence"]
    yield Claim(
        id="captions_changed",
        group="captions",
        says=by_fact(result.changed > 0),
        words={"changed": ("count", "captions.changed"), "all": ("length", "captions.records")},
        facts=("captions.changed",),
    )
    if not result.changed:
        return
    distance, length = key_of.caption("distance"), key_of.caption("length")
    yield by_test(evidence, distance, lower=True, id="closer_in_style", group="captions")
    yield by_test(evidence, length, id="longer", group="captions")
    yield _together(distance, result, evidence)
    for position, measure in enumerate(result.measures):
        yield _measure(position, measure, evidence)


def _together(distance: str, result: Comparison, evidence: Evidence) -> Claim:
    keys = [key_of.caption(measure.key) for measure in result.measures if measure.family == "grounding"]
    grounding = balance(result.measures, evidence, "grounding")
    return by_test(
        evidence,
        distance,
        *keys,
        lower=True,
        id="taken_together",
        group="captions",
        words={"grounding": wordings()["taken_together_grounding"][grounding] if keys else ""},
    )


def _measure(position: int, measure: Measured, evidence: Evidence) -> Claim:
    """Say where one measure went, in a clause that a list can hold."""
    key = key_of.caption(measure.key)
    found, change = verdict(measure, evidence), evidence.tests[key].difference
    outcome = found
    if found == "unclear" and change.low >= change.high:
        outcome = "without_interval" if change.value else "stayed"
    return Claim(
        id=key,
        wording="measure",
        group=measures_of(measure.family),
        says=_SAYS[found],
        outcome=outcome,
        words={
            "name": ("text", f"captions.measures.{position}.name"),
            "went": wordings()["measure_went"][evidence.tests[key].verdict],
            "unit": " bits" if measure.unit == "bits" else "",
            **sides(evidence, key),
        },
        tests=(key,),
    )
