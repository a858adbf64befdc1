"""What is tested of the classifiers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from scipy.stats import binomtest

from experiments.evidence.comparison import Comparison, Draws, paired_shares
from experiments.evidence.order import by_accuracy, mistakes
from experiments.results import key_of
from experiments.results.classification import Classification
from experiments.results.data_sets import DataSets
from experiments.results.zero_shot import ZeroShot
from experiments.statistics.chance import chance
from experiments.statistics.intervals import newcombe, wilson
from experiments.statistics.significance import fisher
from pipeline.errors import UserError
from pipeline.result import Estimate


def classifier_comparisons(
    classifiers: Mapping[str, Classification], data: DataSets, draws: Draws
) -> Iterator[Comparison]:
    """Compare the classifiers that are there with each other, with guessing, and their classes and prompts.

    Raises:
        UserError: if a classifier was scored on other labels than those of `data`.
    """
    if not classifiers:
        return
    labels = np.array(data.labels)
    for stage, result in classifiers.items():
        if result.labels_sha256 != data.labels_sha256:
            raise UserError(
                f"{stage} was scored on other labels than those of data_sets: run "
                f"`python -m experiments run {stage} data_sets`."
            )
    guessing = chance(Counter(data.labels).values())
    right = {stage: np.array(result.predictions) == labels for stage, result in classifiers.items()}
    for one, other in combinations(classifiers, 2):
        yield paired_shares(
            key_of.pair(one, other), (one, other, "data_sets"), right[one], right[other], draws
        )
    for stage, result in classifiers.items():
        yield _chance(stage, right[stage], guessing)
        if isinstance(result, ZeroShot):
            yield from _prompts(stage, result, labels, draws)
        if len(result.classes) > 2:
            yield _extreme(stage, result, "hardest")
            yield _extreme(stage, result, "easiest")
            yield _confusion(stage, result)


def _chance(stage: str, right: np.ndarray, guessing: float) -> Comparison:
    accuracy = wilson(int(right.sum()), len(right))
    return Comparison(
        key=key_of.chance(stage),
        stages=(stage, "data_sets"),
        unit="share",
        one=accuracy.value,
        other=guessing,
        difference=Estimate(
            value=accuracy.value - guessing,
            n=accuracy.n,
            low=accuracy.low - guessing,
            high=accuracy.high - guessing,
            method=accuracy.method,
        ),
        test="exact binomial test",
        p=float(binomtest(int(right.sum()), len(right), guessing).pvalue),
    )


def _prompts(stage: str, result: ZeroShot, labels: np.ndarray, draws: Draws) -> Iterator[Comparison]:
    """Compare every further set of prompts with the first."""
    first, *others = (np.array(prompts.predictions) == labels for prompts in result.prompt_sets)
    for position, other in enumerate(others, start=1):
        yield paired_shares(key_of.prompts(position), (stage, "data_sets"), other, first, draws)


def _extreme(stage: str, result: Classification, which: key_of.Extreme) -> Comparison:
    """Compare the hardest (or the easiest) class with the next."""
    order = by_accuracy(result, which)
    one, other = ((result.confusion[at][at], sum(result.confusion[at])) for at in order[:2])
    return Comparison(
        key=key_of.extreme(stage, which),
        stages=(stage,),
        unit="share",
        one=one[0] / one[1],
        other=other[0] / other[1],
        difference=newcombe(one, other),
        test="Fisher's exact test",
        p=fisher(one, other),
        chosen_among=len(order),
    )


def _confusion(stage: str, result: Classification) -> Comparison:
    """Compare the most frequent mistake with the next: given either, they would be as likely."""
    one, other = (result.confusion[true][called] for true, called in mistakes(result, 2))
    both = max(one + other, 1)
    share = wilson(one, both)
    return Comparison(
        key=key_of.confusion(stage),
        stages=(stage,),
        unit="count",
        one=one,
        other=other,
        difference=Estimate(
            value=one - other,
            n=both,
            low=(2 * share.low - 1) * both,
            high=(2 * share.high - 1) * both,
            method=share.method,
        ),
        test="exact binomial test",
        p=float(binomtest(one, both, 0.5).pvalue) if one + other else 1.0,
        chosen_among=len(result.classes) * (len(result.classes) - 1),
    )
