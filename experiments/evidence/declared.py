"""Which tests a profile declares, whether or not the results for them are there yet."""

from collections.abc import Iterator
from itertools import combinations
from typing import get_args

from experiments.config.comparison import EvidenceConfig
from experiments.results import key_of
from experiments.statistics.significance import least_resamples

MEASURES = (
    "bleu", "cider_d", "rouge_l", "chrf", "right_class", "wrong_class", "right_colour", "wrong_colour",
    "length", "vocabulary", "distinct_1", "distinct_2", "new_words", "distance",
    "ended", "cut_off", "repeats", "rambles",
)  # fmt: skip
"""The keys of all measures of captions; photos without classes or colours do not allow some."""

Declared = tuple[str, tuple[str, ...]]


def declared(config: EvidenceConfig) -> dict[str, tuple[str, ...]]:
    """Return the keys of all tests that there can be, each with the stages whose results it is made from.

    Whether the data allow a test, such as that of a third class, is known once these results are there.
    """
    return dict((*_of_classifiers(config), *_of_captions(config), *_of_variants(config)))


def too_few_resamples(config: EvidenceConfig) -> str | None:
    """Say in a sentence that there are too few resamples for the bootstrap tests; None if there are enough.

    None of these tests is of a pair that was picked from several. Of an exploratory profile nothing is asked.
    """
    if config.exploratory or not config.captions:
        return None
    tests = len(declared(config))
    least = least_resamples(tests, 1, config.significance)
    if config.resamples >= least:
        return None
    return (
        f"evidence.resamples is {config.resamples}, too few for a bootstrap to find even the clearest "
        f"difference when corrected for all {tests} tests that the profile declares: set it to {least} or "
        "more (or say evidence.exploratory = true, if the profile's figures mean nothing)."
    )


def _of_classifiers(config: EvidenceConfig) -> Iterator[Declared]:
    for pair in combinations(config.classifiers, 2):
        yield key_of.pair(*pair), pair
    for stage in config.classifiers:
        yield key_of.chance(stage), (stage,)
        for extreme in get_args(key_of.Extreme):
            yield key_of.extreme(stage, extreme), (stage,)
        yield key_of.confusion(stage), (stage,)
    for position in range(1, config.prompt_sets):
        yield key_of.prompts(position), ("zero_shot",)


def _of_captions(config: EvidenceConfig) -> Iterator[Declared]:
    for measure in MEASURES if config.captions else ():
        yield key_of.caption(measure), ("generate",)


def _of_variants(config: EvidenceConfig) -> Iterator[Declared]:
    stages = ("align", "lora", "generate", "variants")
    for variant in config.variants:
        if config.held_out:
            yield key_of.forgotten(variant), stages
        if config.adapter is not None and variant != config.adapter:
            yield key_of.distance(variant), stages
    if config.held_out and config.adapter is not None and "full" in config.variants:
        yield key_of.held_out("full"), stages
