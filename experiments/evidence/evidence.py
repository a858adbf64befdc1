"""Stage `evidence`: every comparison that the report makes, tested once. It reads results only."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from experiments.config.comparison import EvidenceConfig
from experiments.context import Context
from experiments.evidence.captioning import caption_comparisons, variant_comparisons
from experiments.evidence.classifiers import classifier_comparisons
from experiments.evidence.comparison import Comparison, Draws
from experiments.evidence.declared import declared, too_few_resamples
from experiments.results import key_of
from experiments.results.classification import CLASSIFIERS
from experiments.results.evidence import Evidence, Tested, Verdict
from experiments.statistics.chance import chance
from experiments.statistics.significance import holm
from pipeline.errors import UserError


def evidence(config: EvidenceConfig, inputs: Mapping[str, Any], context: Context) -> Evidence:
    """Test every comparison whose results are there, and correct for all that the profile declares.

    Raises:
        UserError: if two results do not belong to the same test images, or the resamples are so few that no
            bootstrap test could find anything.
    """
    if problem := too_few_resamples(config):
        raise UserError(problem)
    there = {name: result for name, result in inputs.items() if result is not None}
    found: list[Comparison] = []
    parts = list(_parts(there, Draws(config.seed, config.resamples), config.language))
    for number, part in enumerate(parts, start=1):
        found.extend(part)
        context.progress(number, len(parts), "")
    return judged(found, there, config)


def _parts(there: Mapping[str, Any], draws: Draws, language: str) -> Iterator[Iterable[Comparison]]:
    classifiers = {stage: there[stage] for stage in CLASSIFIERS if stage in there}
    yield classifier_comparisons(classifiers, there["data_sets"], draws)
    if "generate" in there:
        yield caption_comparisons(there["generate"], draws, language)
    if {"align", "lora", "generate", "variants"} <= set(there):
        yield variant_comparisons(there["align"], there["lora"], there["generate"], there["variants"], draws)


def judged(comparisons: Iterable[Comparison], there: Mapping[str, Any], config: EvidenceConfig) -> Evidence:
    """Judge all comparisons of the report, those of every classifier with guessing among them.

    `there` holds the results that they were made from. What the profile declares and no comparison is of is
    absent if a result for it is not there, and is no test if the results do not allow it.

    Raises:
        ValueError: if a comparison is not declared.
    """
    found, tests = list(comparisons), declared(config)
    if unknown := {each.key for each in found} - set(tests):
        raise ValueError(f"no profile declares these tests: {', '.join(sorted(unknown))}")
    absent = tuple(key for key, stages in tests.items() if not set(stages) <= set(there))
    told = family(found, config.significance, absent)
    labels = there["data_sets"].labels
    classified = {stage: key_of.chance(stage) for stage in CLASSIFIERS if stage in there}
    return Evidence(
        tests=told,
        absent=absent,
        chance=chance(Counter(labels).values()) if classified else None,
        broken=tuple(stage for stage, key in classified.items() if told[key].verdict != "higher"),
        significance=config.significance,
        resamples=config.resamples,
    )


def family(
    comparisons: Iterable[Comparison], significance: float, absent: Collection[str] = ()
) -> dict[str, Tested]:
    """Judge all comparisons together: Holm's correction, then a verdict for each.

    The `absent` tests of the family count with p = 1. Since no p is larger, another in its place, when its
    result is there, can only lower what the others are adjusted to: a verdict that is not "unclear" stays.
    """
    known = {each.key: each for each in comparisons}
    chosen = {key: min(1.0, each.p * each.chosen_among) for key, each in known.items()}
    adjusted = holm({**chosen, **dict.fromkeys(absent, 1.0)})
    tests = {}
    for key, comparison in known.items():
        alone: dict[str, Any] = vars(comparison) | {"p": chosen[key]}
        del alone["key"]
        verdict = _verdict(comparison.difference.value, adjusted[key], significance)
        tests[key] = Tested(**alone, adjusted=adjusted[key], verdict=verdict)
    return tests


def _verdict(difference: float, adjusted: float, significance: float) -> Verdict:
    if adjusted >= significance or difference == 0:
        return "unclear"
    return "higher" if difference > 0 else "lower"
