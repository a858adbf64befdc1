"""What the report claims of the classifiers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, get_args

from experiments.evidence.order import by_accuracy, mistakes
from experiments.results import key_of
from experiments.results.classification import Classification
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from reporting.audit_claims import published_claims
from reporting.blocks import CLASSIFIERS
from reporting.claims import Claim, by_test, classes_of

_BROKEN = "It is broken rather than weak, and is"
_TOO_FEW = "It may be broken, or these images too few to show that it is not, and it is"


def classifier_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims for which the results are there; a broken model is called so and not ranked."""
    evidence: Evidence = values["evidence"]
    there = [stage for stage in CLASSIFIERS if stage in values]
    sound = [stage for stage in there if stage not in evidence.broken]
    for stage in there:
        yield _chance(stage, evidence)
    for one, other in combinations(sound, 2):
        yield _pair(one, other, evidence)
    for stage in sound:
        if isinstance(values[stage], ZeroShot):
            yield from _prompts(stage, values[stage], evidence)
    if "audit" in values:
        yield from published_claims(values["audit"])
    for stage in sound:
        yield from _classes(stage, values[stage], evidence)


def _chance(stage: str, evidence: Evidence) -> Claim:
    key = key_of.chance(stage)
    return Claim(
        id=f"{stage}_above_chance",
        group="broken" if stage in evidence.broken else "sound",
        says=by_test(evidence.tests[key]),
        holds="{{ name }} does better than guessing: it is right on {{ accuracy }} of the test images, and"
        " guessing would be on {{ guessing }} {{ shown() }}.",
        fails="{{ name }} does worse than guessing: it is right on {{ accuracy }} of the test images, and"
        " guessing would be on {{ guessing }} {{ shown() }}. It is broken rather than weak, and is not"
        " ranked.",
        unclear="{{ name }} cannot be told from guessing: it is right on {{ accuracy }} of the test"
        " images, and guessing would be on {{ guessing }} {{ shown() }}. {{ so }} not ranked.",
        words={
            "so": _TOO_FEW if evidence.too_few_images(stage) else _BROKEN,
            "name": ("text", f"{stage}.model"),
            "accuracy": ("percent", f"{stage}.top1"),
            "guessing": ("percent", "evidence.chance"),
        },
        tests=(key,),
    )


def _pair(one: str, other: str, evidence: Evidence) -> Claim:
    key = key_of.pair(one, other)
    return Claim(
        id=f"{one}_beats_{other}",
        group="ranking",
        says=by_test(evidence.tests[key]),
        holds="{{ one }} beats {{ other }}: it is right on {{ right }} of the test images, against"
        " {{ against }} {{ shown() }}.",
        fails="{{ other }} beats {{ one }}: it is right on {{ against }} of the test images, against"
        " {{ right }} {{ shown(reverse=true) }}.",
        unclear="{{ one }} and {{ other }} cannot be told apart: they are right on {{ right }} and"
        " {{ against }} of the test images {{ shown() }}.",
        words={
            "one": ("text", f"{one}.model"),
            "other": ("text", f"{other}.model"),
            "right": ("percent", f"{one}.top1"),
            "against": ("percent", f"{other}.top1"),
        },
        tests=(key,),
    )


def _prompts(stage: str, result: ZeroShot, evidence: Evidence) -> Iterator[Claim]:
    for position in range(1, len(result.prompt_sets)):
        key = key_of.prompts(position)
        further, first = (f"{stage}.prompt_sets.{at}" for at in (position, 0))
        yield Claim(
            id=key,
            group="prompts",
            says=by_test(evidence.tests[key]),
            holds="“{{ further }}” does better than “{{ first }}”: {{ right }} against {{ against }}"
            " {{ shown() }}.",
            fails="“{{ further }}” does worse than “{{ first }}”: {{ right }} against {{ against }}"
            " {{ shown() }}.",
            unclear="“{{ further }}” cannot be told from “{{ first }}”: {{ right }} and {{ against }}"
            " {{ shown() }}.",
            words={
                "further": ("text", f"{further}.name"),
                "first": ("text", f"{first}.name"),
                "right": ("percent", f"{further}.top1"),
                "against": ("percent", f"{first}.top1"),
            },
            tests=(key,),
        )


def _classes(stage: str, result: Classification, evidence: Evidence) -> Iterator[Claim]:
    """Yield what is hardest, easiest and most often mistaken, as far as it was tested."""
    confusion = evidence.tests.get(key_of.confusion(stage))
    if confusion is None:
        return
    if not confusion.one:
        yield _flawless(stage)
        return
    for extreme in get_args(key_of.Extreme):
        yield _extreme(stage, extreme, by_accuracy(result, extreme), evidence)
    yield _confusion(stage, mistakes(result, 2), evidence)


def _flawless(stage: str) -> Claim:
    return Claim(
        id=f"{stage}_flawless",
        group=classes_of(stage),
        says="holds",
        holds="It makes {{ link(mistakes) }} on the test images.",
        fails=None,
        words={"mistakes": "no mistake"},
        facts=(f"{stage}.top1",),
    )


def _extreme(stage: str, extreme: key_of.Extreme, order: Sequence[int], evidence: Evidence) -> Claim:
    key, (at, following, *_) = key_of.extreme(stage, extreme), order
    return Claim(
        id=key,
        group=classes_of(stage),
        says="unclear" if evidence.tests[key].verdict == "unclear" else "holds",
        holds="{{ extreme }} is “{{ class }}”, with {{ accuracy }} of its images right; next comes"
        " “{{ next }}”, with {{ against }} {{ shown() }}.",
        fails=None,
        unclear="{{ extreme }} in this sample is “{{ class }}”, with {{ accuracy }} of its images right, but"
        " it cannot be told from “{{ next }}”, with {{ against }} {{ shown() }}.",
        words={
            "extreme": extreme.capitalize(),
            "class": ("text", f"{stage}.classes.{at}"),
            "accuracy": ("percent", f"{stage}.per_class.{at}"),
            "next": ("text", f"{stage}.classes.{following}"),
            "against": ("percent", f"{stage}.per_class.{following}"),
        },
        tests=(key,),
    )


def _confusion(stage: str, pairs: Sequence[tuple[int, int]], evidence: Evidence) -> Claim:
    key = key_of.confusion(stage)
    (actual, called), (next_actual, next_called) = pairs
    return Claim(
        id=key,
        group=classes_of(stage),
        says="unclear" if evidence.tests[key].verdict == "unclear" else "holds",
        holds="The most frequent mistake is to call “{{ actual }}” images “{{ called }}” ({{ times }} of"
        " {{ all }} images); next comes calling “{{ next_actual }}” images “{{ next_called }}”"
        " ({{ next_times }} of {{ next_all }}) {{ shown() }}.",
        fails=None,
        unclear="The most frequent mistake in this sample is to call “{{ actual }}” images “{{ called }}”"
        " ({{ times }} of {{ all }} images), but that cannot be told from calling “{{ next_actual }}” images"
        " “{{ next_called }}” ({{ next_times }} of {{ next_all }}) {{ shown() }}.",
        words={
            "actual": ("text", f"{stage}.classes.{actual}"),
            "called": ("text", f"{stage}.classes.{called}"),
            "times": ("count", f"{stage}.confusion.{actual}.{called}"),
            "all": ("count", f"{stage}.per_class.{actual}.n"),
            "next_all": ("count", f"{stage}.per_class.{next_actual}.n"),
            "next_actual": ("text", f"{stage}.classes.{next_actual}"),
            "next_called": ("text", f"{stage}.classes.{next_called}"),
            "next_times": ("count", f"{stage}.confusion.{next_actual}.{next_called}"),
        },
        tests=(key,),
    )
