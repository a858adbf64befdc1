"""Stage `evidence`: every comparison that the report makes, tested once. It reads results only."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.config.comparison import EvidenceConfig
from experiments.context import Context
from experiments.evidence.captioning import caption_comparisons, variant_comparisons
from experiments.evidence.classifiers import classifier_comparisons
from experiments.evidence.comparison import Comparison, Draws
from experiments.results import key_of
from experiments.results.classification import CLASSIFIERS
from experiments.results.data_sets import DataSets
from experiments.results.evidence import Evidence, Tested, Verdict
from experiments.statistics.chance import chance
from experiments.statistics.significance import holm


def evidence(config: EvidenceConfig, inputs: Mapping[str, Any], context: Context) -> Evidence:
    """Test every comparison, and correct for their number over all of them together.

    Raises:
        UserError: if two results do not belong to the same test images.
    """
    draws = Draws(config.seed, config.resamples)
    found: list[Comparison] = []
    parts = (
        classifier_comparisons({stage: inputs[stage] for stage in CLASSIFIERS}, inputs["data_sets"], draws),
        caption_comparisons(inputs["generate"], draws),
        variant_comparisons(inputs["align"], inputs["lora"], inputs["generate"], inputs["variants"], draws),
    )
    for number, part in enumerate(parts, start=1):
        found.extend(part)
        context.progress(number, len(parts), "")
    return judged(found, inputs["data_sets"], config)


def judged(comparisons: Iterable[Comparison], data: DataSets, config: EvidenceConfig) -> Evidence:
    """Judge all comparisons of the report, those of every classifier with guessing among them."""
    tests = family(comparisons, config.significance)
    return Evidence(
        tests=tests,
        chance=chance(Counter(data.labels).values()),
        broken=tuple(stage for stage in CLASSIFIERS if tests[key_of.chance(stage)].verdict != "higher"),
        significance=config.significance,
        resamples=config.resamples,
    )


def family(comparisons: Iterable[Comparison], significance: float) -> dict[str, Tested]:
    """Judge all comparisons together: Holm's correction, then a verdict for each."""
    known = {each.key: each for each in comparisons}
    chosen = {key: min(1.0, each.p * each.chosen_among) for key, each in known.items()}
    tests = {}
    for key, adjusted in holm(chosen).items():
        alone: dict[str, Any] = vars(known[key]) | {"p": chosen[key]}
        del alone["key"]
        verdict = _verdict(known[key].difference.value, adjusted, significance)
        tests[key] = Tested(**alone, adjusted=adjusted, verdict=verdict)
    return tests


def _verdict(difference: float, adjusted: float, significance: float) -> Verdict:
    if adjusted >= significance or difference == 0:
        return "unclear"
    return "higher" if difference > 0 else "lower"
