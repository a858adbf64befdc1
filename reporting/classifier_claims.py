"""What the report claims of the classifiers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, get_args

from experiments.evidence.order import by_accuracy, mistakes
from experiments.results import key_of
from experiments.results.classification import Classification
from experiments.results.evidence import Evidence
from experiments.results.zero_shot import ZeroShot
from reporting.audit_claims import published_claims
from reporting.blocks import CLASSIFIERS
from reporting.claims import Claim, Word, by_test, classes_of


def classifier_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims for which the results are there; a broken model is called so and not ranked.

    That two trained networks differ on these images says nothing of other trainings of them, or of how they
    are built: the sentences speak of these networks.
    """
    evidence: Evidence = values["evidence"]
    there = [stage for stage in CLASSIFIERS if stage in values]
    sound = [stage for stage in there if stage not in evidence.broken]
    for stage in there:
        yield _chance(stage, evidence)
    for one, other in combinations(sound, 2):
        trained = not any(isinstance(values[stage], ZeroShot) for stage in (one, other))
        yield _pair(one, other, "trained_better" if trained else "beats", evidence)
    for stage in sound:
        if isinstance(values[stage], ZeroShot):
            yield from _prompts(stage, values[stage], evidence)
    if "audit" in values:
        yield from published_claims(values["audit"])
    for stage in sound:
        yield from _classes(stage, values[stage], evidence)


def _chance(stage: str, evidence: Evidence) -> Claim:
    claim = by_test(
        evidence,
        key_of.chance(stage),
        id=f"{stage}_above_chance",
        wording="above_chance",
        group="broken" if stage in evidence.broken else "sound",
        words={
            "name": ("text", f"{stage}.model"),
            "accuracy": ("percent", f"{stage}.top1"),
            "guessing": ("percent", "evidence.chance"),
        },
    )
    few = claim.says == "unclear" and evidence.too_few_images(stage)
    return replace(claim, outcome="unclear_on_few_images") if few else claim


def _pair(one: str, other: str, wording: str, evidence: Evidence) -> Claim:
    key, words = key_of.pair(one, other), _two(one, other, "model")
    return by_test(evidence, key, id=f"{one}_beats_{other}", wording=wording, group="ranking", words=words)


def _prompts(stage: str, result: ZeroShot, evidence: Evidence) -> Iterator[Claim]:
    for position in range(1, len(result.prompt_sets)):
        key, sets = key_of.prompts(position), f"{stage}.prompt_sets"
        words = _two(f"{sets}.{position}", f"{sets}.0", "name")
        yield by_test(evidence, key, id=key, wording="prompts", group="prompts", words=words)


def _two(first: str, second: str, name: str) -> dict[str, Word]:
    """Return the names of what stands at two paths, under the field `name` of each, and their accuracies."""
    return {
        "first": ("text", f"{first}.{name}"),
        "second": ("text", f"{second}.{name}"),
        "right": ("percent", f"{first}.top1"),
        "against": ("percent", f"{second}.top1"),
    }


def _classes(stage: str, result: Classification, evidence: Evidence) -> Iterator[Claim]:
    """Yield what is hardest, easiest and most often mistaken, as far as it was tested."""
    confusion, group = key_of.confusion(stage), classes_of(stage)
    if confusion not in evidence.tests:
        return
    if not evidence.tests[confusion].one:
        top1 = f"{stage}.top1"
        yield Claim(id=f"{stage}_flawless", wording="flawless", group=group, says="holds", facts=(top1,))
        return
    for extreme in get_args(key_of.Extreme):
        at, following, *_ = by_accuracy(result, extreme)
        words = _two_classes(stage, at, following)
        yield _picked(key_of.extreme(stage, extreme), extreme, group, words, evidence)
    yield _picked(confusion, "confusion", group, _two_mistakes(stage, result), evidence)


def _two_classes(stage: str, at: int, following: int) -> dict[str, Word]:
    return {
        "class": ("text", f"{stage}.classes.{at}"),
        "accuracy": ("percent", f"{stage}.per_class.{at}"),
        "next": ("text", f"{stage}.classes.{following}"),
        "against": ("percent", f"{stage}.per_class.{following}"),
    }


def _two_mistakes(stage: str, result: Classification) -> dict[str, Word]:
    words: dict[str, Word] = {}
    for prefix, (actual, called) in zip(("", "next_"), mistakes(result, 2), strict=True):
        words |= {
            f"{prefix}actual": ("text", f"{stage}.classes.{actual}"),
            f"{prefix}called": ("text", f"{stage}.classes.{called}"),
            f"{prefix}times": ("count", f"{stage}.confusion.{actual}.{called}"),
            f"{prefix}all": ("count", f"{stage}.per_class.{actual}.n"),
        }
    return words


def _picked(key: str, wording: str, group: str, words: Mapping[str, Word], evidence: Evidence) -> Claim:
    """Return a claim on what was picked as an extreme, which can hold or be unclear, and cannot fail."""
    says = "unclear" if evidence.tests[key].verdict == "unclear" else "holds"
    return Claim(id=key, wording=wording, group=group, says=says, words=words, tests=(key,))
