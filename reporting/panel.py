"""The headline figures of a run: which four they are follows from what the profile has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from experiments.results import key_of
from experiments.results.ablations import Variant
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from reporting.blocks import CLASSIFIERS
from reporting.caption_claims import LEADING
from reporting.claims import Word, sides

MOST = 4


@dataclass(frozen=True)
class Headline:
    """One figure: what it is `of`, its value before (None where there is none) and now, and its interval.

    `interval` is that of the difference where there are two values, None where a figure was counted. `of` is
    a name in the template, `name` a word that it prints, `claim` the claim with its evidence, and `untold`
    says that the two values cannot be told apart.
    """

    of: str
    now: Word
    claim: str
    before: Word | None = None
    name: Word = ""
    interval: Word | None = None
    untold: bool = False


def headlines(values: Mapping[str, Any]) -> list[Headline]:
    """Return the most important figures that the results of all stages allow, four at most."""
    return list(islice(_headlines(values), MOST))


def _headlines(values: Mapping[str, Any]) -> Iterator[Headline]:
    """Yield a figure of each kind, and where a half is not there, more of the other."""
    evidence: Evidence | None = values.get("evidence")
    if evidence is None:
        return
    agreement, distance = key_of.caption(LEADING), key_of.caption("distance")
    has_captions = "captions" in values and values["captions"].changed
    if has_captions:
        yield _difference("agreement", agreement, agreement, evidence)
    adapter = _adapter(values)
    if adapter is not None and key_of.forgotten(adapter) in evidence.tests:
        yield _difference("held_out", key_of.forgotten(adapter), f"{adapter}_forgets", evidence)
    there = [stage for stage in CLASSIFIERS if stage in values and key_of.chance(stage) in evidence.tests]
    for stage in _in_order(values, there):
        yield Headline(
            of="zero_shot" if isinstance(values[stage], ZeroShot) else "trained",
            name=("called", f"{stage}.model"),
            now=("said", f"{stage}.top1"),
            interval=("interval", f"{stage}.top1"),
            claim=f"{stage}_above_chance",
        )
    if has_captions:
        yield _difference("distance", distance, distance, evidence)
    if "lora" in values:
        yield Headline(of="adapter", now=("rough_bytes", "lora.adapter_bytes"), claim="lora_share")


def _adapter(values: Mapping[str, Any]) -> str | None:
    """Return the key of the variant that is the adapter which the report is about."""
    if "lora" not in values or "ablations" not in values:
        return None
    variants: Sequence[Variant] = values["ablations"].variants
    position = values["lora"].position_among(variants)
    return None if position is None else variants[position].key


def _in_order(values: Mapping[str, Any], stages: Sequence[str]) -> list[str]:
    """Return pretrained models, then networks trained here, the best first."""
    return sorted(
        stages, key=lambda stage: (not isinstance(values[stage], ZeroShot), -values[stage].top1.value)
    )


def _difference(of: str, test: str, claim: str, evidence: Evidence) -> Headline:
    tested = evidence.tests[test]
    figures = sides(evidence, test)
    return Headline(
        of=of,
        before=figures["other"],
        now=figures["one"],
        interval=("reach", f"evidence.tests.{test}.difference", tested.unit),
        claim=claim,
        untold=tested.verdict == "unclear",
    )
