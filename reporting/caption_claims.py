"""What the report claims of the captions before and after fine-tuning."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.results import key_of
from experiments.results.captions import Comparison, Measured
from experiments.results.evidence import Evidence
from reporting.caption_facts import Balance, Verdict, balance, verdict
from reporting.claims import Claim, Says, by_fact, by_test, measures_of, sides

_SAYS: Mapping[Verdict, Says] = {
    "better": "holds",
    "worse": "fails",
    "changed": "holds",
    "unclear": "unclear",
}
_RISE: Mapping[str, str] = {"higher": "rose from", "lower": "fell from", "unclear": "went from"}


def caption_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims on all captions together, then one for each measure."""
    result: Comparison = values["captions"]
    evidence: Evidence = values["evidence"]
    yield _changed(result)
    if not result.changed:
        return
    yield _closer(evidence)
    yield _longer(evidence)
    yield _together(result, evidence)
    for position, measure in enumerate(result.measures):
        yield _measure(position, measure, evidence)


def _changed(result: Comparison) -> Claim:
    return Claim(
        id="captions_changed",
        group="captions",
        says=by_fact(result.changed > 0),
        holds="After fine-tuning, {{ link(changed) }} of {{ all }} evaluation photos have another caption"
        " than before.",
        fails="Fine-tuning changed nothing: {{ link(changed) }} of {{ all }} evaluation photos have"
        " another caption than before.",
        words={"changed": ("count", "captions.changed"), "all": ("length", "captions.records")},
        facts=("captions.changed",),
    )


def _closer(evidence: Evidence) -> Claim:
    key = key_of.caption("distance")
    return Claim(
        id="closer_in_style",
        group="captions",
        says=by_test(evidence.tests[key], lower=True),
        holds="In their choice of words the captions came closer to the references: their distance fell"
        " from {{ other }} to {{ one }} bits {{ shown() }}.",
        fails="In their choice of words the captions went further from the references: their distance rose"
        " from {{ other }} to {{ one }} bits {{ shown() }}.",
        unclear="Whether the captions' choice of words came closer to the references' cannot be told:"
        " their distance was {{ other }} bits before and {{ one }} after {{ shown() }}.",
        words=sides(key, "measured", evidence.tests[key].unit),
        tests=(key,),
    )


def _longer(evidence: Evidence) -> Claim:
    key = key_of.caption("length")
    return Claim(
        id="longer",
        group="captions",
        says=by_test(evidence.tests[key]),
        holds="They became longer: {{ other }} words in the mean before, {{ one }} after {{ shown() }}.",
        fails="They became shorter: {{ other }} words in the mean before, {{ one }} after {{ shown() }}.",
        unclear="Whether they became longer or shorter cannot be told: {{ other }} words in the mean"
        " before, {{ one }} after {{ shown() }}.",
        words=sides(key, "measured", evidence.tests[key].unit),
        tests=(key,),
    )


def _together(result: Comparison, evidence: Evidence) -> Claim:
    grounding = balance(result.measures, evidence, "grounding")
    words: Mapping[Balance, str] = {
        "both": ", for better and for worse in what the captions say of the photo",
        "better": ", with a gain in what the captions say of the photo",
        "worse": ", at a price in what the captions say of the photo",
        "neither": ", without a change that could be told in what the captions say of the photo",
    }
    distance = key_of.caption("distance")
    keys = [key_of.caption(measure.key) for measure in result.measures if measure.family == "grounding"]
    return Claim(
        id="taken_together",
        group="captions",
        says=by_test(evidence.tests[distance], lower=True),
        holds="Taken together, fine-tuning {{ link(verb) }} the references' manner to the captioner"
        "{{ grounding }}.",
        fails="Taken together, fine-tuning {{ link(verb) }} the captioner away from the references'"
        " manner{{ grounding }}.",
        unclear="Taken together, fine-tuning {{ link(verb) }} the references' manner to the captioner"
        "{{ grounding }}.",
        words={
            "verb": {"higher": "took", "lower": "taught", "unclear": "cannot be said to have taught"}[
                evidence.tests[distance].verdict
            ],
            "grounding": words[grounding] if keys else "",
        },
        tests=(distance, *keys),
    )


def _measure(position: int, measure: Measured, evidence: Evidence) -> Claim:
    """Say where one measure went, in a clause that a list can hold."""
    key = key_of.caption(measure.key)
    says = _SAYS[verdict(measure, evidence)]
    moved = "“{{ name }}” {{ went }} {{ other }} to {{ one }}{{ unit }} {{ shown() }}"
    change = evidence.tests[key].difference
    if change.low < change.high:
        unclear = f"{moved}, which is not to be told from no change"
    elif change.value == 0:
        unclear = "“{{ name }}” stayed at {{ link(one) }}{{ unit }}"
    else:
        unclear = (
            "“{{ name }}” {{ went }} {{ other }} to {{ one }}{{ unit }}, for which there is no"
            " {{ link(interval) }}, since no photo by itself makes a difference"
        )
    return Claim(
        id=key,
        group=measures_of(measure.family),
        says=says,
        holds=moved if measure.better == "neither" else f"{moved}, for the better",
        fails=f"{moved}, for the worse",
        unclear=unclear,
        words={
            "name": ("text", f"captions.measures.{position}.name"),
            "interval": "interval",
            "went": _RISE[evidence.tests[key].verdict],
            "unit": " bits" if measure.unit == "bits" else "",
            **sides(key, "measured", measure.unit),
        },
        tests=(key,),
    )
