"""What is tested of the captions."""

from collections.abc import Iterator, Sequence

import numpy as np

from experiments.captioning.compare import sides
from experiments.captioning.scoring import style
from experiments.captioning.scoring.class_words import names_class
from experiments.captioning.scoring.language import ENGLISH
from experiments.captioning.scoring.measures import Kind, Side, kinds
from experiments.evidence.comparison import Comparison, Draws, paired_shares
from experiments.results import key_of
from experiments.results.align import Aligned
from experiments.results.captions import Unit
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.variants import TunedVariant, Variants
from experiments.statistics.paired import (
    Difference,
    Measure,
    bootstrapped_difference,
    jackknifed_difference,
)


def caption_comparisons(generated: Generated, draws: Draws, language: str = ENGLISH) -> Iterator[Comparison]:
    """Compare the captions after fine-tuning with those before, by every measure that `language` allows."""
    before, after = sides(generated, language)
    for kind in kinds(generated, language):
        yield _measured(kind, after, before, draws)


def variant_comparisons(
    aligned: Aligned, lora: Lora, generated: Generated, variants: Variants, draws: Draws
) -> Iterator[Comparison]:
    """Compare every way of tuning with the base, and with the adapter that the report is about.

    With the base by what it still names right on held-out photos, if there are any; with the adapter by the
    style of its captions, and full fine-tuning with it by the held-out photos as well.
    """
    labels = aligned.held_out_labels
    base = _named(aligned.held_out_captions, labels)
    named = {variant.key: _named(variant.held_out, labels) for variant in variants.variants}
    for variant in variants.variants if labels else ():
        key = key_of.forgotten(variant.key)
        yield paired_shares(key, ("align", "variants"), named[variant.key], base, draws)
    position = lora.position_among(variants.variants)
    if position is None:
        return
    main = variants.variants[position]
    ours = _distance(main, generated)
    for variant in variants.variants:
        if variant.key == main.key:
            continue
        if variant.kind == "full" and labels:
            key = key_of.held_out(variant.key)
            yield paired_shares(key, ("align", "variants"), named[main.key], named[variant.key], draws)
        yield _jackknifed(
            key_of.distance(variant.key),
            ("generate", "variants"),
            "bits",
            (ours, _distance(variant, generated)),
            len(generated.records),
        )


def _measured(kind: Kind, after: Side, before: Side, draws: Draws) -> Comparison:
    key, stages, n = key_of.caption(kind.key), ("generate",), len(after.captions)
    if kind.judged is not None:
        had, had_before = (np.array(kind.judged(each), dtype=bool) for each in (after, before))
        return paired_shares(key, stages, had, had_before, draws)
    one, other = kind.measure(after), kind.measure(before)
    if kind.of_set:
        return _jackknifed(key, stages, kind.unit, (one, other), n)
    found = bootstrapped_difference(other, one, n, draws.resamples, draws.random(key))
    return _of_measures(key, stages, kind.unit, (one, other), (found, "paired bootstrap"))


def _jackknifed(
    key: str, stages: tuple[str, ...], unit: Unit, measures: tuple[Measure, Measure], n: int
) -> Comparison:
    one, other = measures
    return _of_measures(key, stages, unit, measures, (jackknifed_difference(other, one, n), "jackknife"))


def _of_measures(
    key: str,
    stages: tuple[str, ...],
    unit: Unit,
    measures: tuple[Measure, Measure],
    tested: tuple[Difference, str],
) -> Comparison:
    found, test = tested
    one, other = (float(measure(np.arange(found.estimate.n))) for measure in measures)
    return Comparison(
        key=key,
        stages=stages,
        unit=unit,
        one=one,
        other=other,
        difference=found.estimate,
        test=test,
        p=max(found.p, least_p(found.estimate.n)),
    )


def least_p(n: int) -> float:
    """Return the smallest p that an exact paired test of `n` photos can give: all changes have one sign.

    Resampling two photos or five knows nothing of any others, and would be as sure of them as of hundreds.
    """
    return 2.0 ** (1 - n)


def _distance(variant: TunedVariant, generated: Generated) -> Measure:
    """Return the distance of a variant's words from the references', as a measure of the photos."""
    captions = [caption.text for caption in variant.captions]
    return style.distance_measure(captions, [record.references for record in generated.records])


def _named(captions: Sequence[str], labels: Sequence[str]) -> np.ndarray:
    return np.array([names_class(text, label) for text, label in zip(captions, labels, strict=True)])
