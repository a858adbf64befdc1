"""How an author names a test: by what it compares, `cnn > vit`, or by its key.

Only tests of the family can be named, and naming one adds none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

from experiments.config.comparison import EvidenceConfig
from experiments.results import key_of
from experiments.results.classification import CLASSIFIERS
from experiments.results.evidence import Evidence, Tested
from pipeline.errors import UserError
from reporting.paths import nearest

Outcome = Literal["holds", "fails", "unclear"]

_MEASURES = (
    *("bleu", "cider_d", "rouge_l", "chrf", "right_class", "wrong_class", "right_colour", "wrong_colour"),
    *("length", "vocabulary", "distinct_1", "distinct_2", "new_words", "distance"),
    *("ended", "cut_off", "repeats", "rambles"),
)
_COMPARISON = re.compile(r"\s*(\S+)\s*([<>])\s*(\S+?)\s*(?:\son\s+(\S+))?\s*")
_OF_VARIANTS = ("held_out", "distance")
"""What ways of tuning are compared on."""


@dataclass(frozen=True)
class Compared:
    """What a test compares: its key, the names of its two sides, and on what."""

    key: str
    one: str
    other: str
    on: str = ""

    def __str__(self) -> str:
        """Return the name by which a sentence is bound to it."""
        return f"{self.one} > {self.other}" + (f" on {self.on}" if self.on else "")


@dataclass(frozen=True)
class Bound:
    """A test, and whether a sentence says that its first side is the lower one."""

    key: str
    lower: bool = False

    def outcome(self, test: Tested) -> Outcome:
        """Return what the test says of the sentence."""
        if test.verdict == "unclear":
            return "unclear"
        return "holds" if test.verdict == ("lower" if self.lower else "higher") else "fails"


def compared(config: EvidenceConfig, evidence: Evidence | None = None) -> dict[str, Compared]:
    """Return what each test of a profile's family compares, by its key.

    A test that only the evidence knows, where it is there, goes by its key alone.
    """
    known = {each.key: each for each in _compared(config)}
    others = (*evidence.tests, *evidence.absent) if evidence else ()
    return {key: Compared(key, f"{key}.one", f"{key}.other") for key in others} | known


def _compared(config: EvidenceConfig) -> Iterator[Compared]:
    """Yield the family as the stage `evidence` declares it, which a machine that only renders cannot ask."""
    for one, other in combinations(config.classifiers, 2):
        yield Compared(key_of.pair(one, other), one, other)
    for stage in config.classifiers:
        yield Compared(key_of.chance(stage), stage, "chance")
        for extreme in get_args(key_of.Extreme):
            yield Compared(key_of.extreme(stage, extreme), f"{stage}.{extreme}", f"{stage}.next_{extreme}")
        yield Compared(key_of.confusion(stage), f"{stage}.confusion", f"{stage}.next_confusion")
    for position in range(1, config.prompt_sets):
        yield Compared(key_of.prompts(position), f"zero_shot.prompts.{position}", "zero_shot.prompts.0")
    for measure in _MEASURES if config.captions else ():
        yield Compared(key_of.caption(measure), "lora.after", "lora.before", measure)
    for variant in config.variants:
        if config.held_out:
            yield Compared(key_of.forgotten(variant), variant, "base", "held_out")
        if config.adapter is not None and variant != config.adapter:
            yield Compared(key_of.distance(variant), config.adapter, variant, "distance")
    if config.held_out and config.adapter is not None and "full" in config.variants:
        yield Compared(key_of.held_out("full"), config.adapter, "full", "held_out")


def bound(text: str, config: EvidenceConfig, evidence: Evidence | None = None) -> Bound | None:
    """Return the test that an author's words name, None if it is of what this profile leaves out.

    Raises:
        UserError: if there is no such test; the sentence names those that are most like it.
    """
    there = compared(config, evidence)
    if text in there:
        return Bound(text)
    if found := _COMPARISON.fullmatch(text):
        one, sign, other, on = found.groups("")
        for each in there.values():
            for first, second, lower in ((each.one, each.other, "<"), (each.other, each.one, ">")):
                if (first, second, each.on) == (one, other, on):
                    return Bound(each.key, lower=sign == lower)
        if _is_left_out(one, other, on, config):
            return None
    turned = [str(replace(each, one=each.other, other=each.one)) for each in there.values()]
    names = [*map(str, there.values()), *turned, *there]
    raise UserError(f"the evidence has no test {text!r}: {nearest(text, names)}")


def _is_left_out(one: str, other: str, on: str, config: EvidenceConfig) -> bool:
    """Tell whether a comparison is of a half, a classifier or prompts that the profile has not got."""
    whole = config.model_copy(
        update={"classifiers": CLASSIFIERS, "captions": True, "prompt_sets": max(2, config.prompt_sets)}
    )
    names = {(each.one, each.other, each.on) for each in _compared(whole)}
    return bool({(one, other, on), (other, one, on)} & names) or (on in _OF_VARIANTS and not config.variants)
