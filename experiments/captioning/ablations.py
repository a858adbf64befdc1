"""Stage `ablations`: what rank, targets and full fine-tuning change. It reads text only."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.captioning.scoring import style
from experiments.captioning.scoring.class_words import names_class
from experiments.captioning.scoring.grounding import right_colour
from experiments.captioning.scoring.language import expected_texts, is_english, spaced, unparted
from experiments.captioning.scoring.words import words
from experiments.config.comparison import AblationsConfig
from experiments.context import Context
from experiments.results.ablations import Ablations, Variant
from experiments.results.align import Aligned
from experiments.results.caption import Caption
from experiments.results.generate import Generated
from experiments.results.variants import TunedVariant, Variants
from experiments.statistics.intervals import wilson
from experiments.statistics.paired import bootstrapped, jackknifed
from pipeline.result import Estimate

_KEPT = set(Variant.model_fields) & set(TunedVariant.model_fields) - {"held_out"}
"""The fields that a variant has before and after: `held_out` are captions before, and their share after."""


def ablations(config: AblationsConfig, inputs: Mapping[str, Any], context: Context) -> Ablations:
    """Measure the captions of the base and of every variant alike."""
    aligned: Aligned = inputs["align"]
    generated: Generated = inputs["generate"]
    tuned: Variants = inputs["variants"]
    described = [_base(config, aligned, generated)]
    for variant in tuned.variants:
        random = np.random.default_rng((config.seed, len(described)))
        right = _named(variant.held_out, aligned.held_out_labels)
        described.append(
            Variant(
                **variant.model_dump(include=_KEPT),
                last_loss=variant.loss[-1],
                **_figures(config, variant.captions, generated, random),
                held_out=_share(right),
            )
        )
        context.progress(len(described) - 1, len(tuned.variants), "")
    return Ablations(
        variants=tuple(described),
        held_out_classes=tuple(sorted(set(aligned.held_out_labels))),
        off_is_base=all(variant.off_is_base is not False for variant in tuned.variants),
    )


def _base(config: AblationsConfig, aligned: Aligned, generated: Generated) -> Variant:
    captions = [Caption(text=record.before, ended=record.before_ended) for record in generated.records]
    return Variant(
        key="base",
        name="base, not tuned",
        kind="base",
        rank=None,
        targets=(),
        trainable=0,
        saved_bytes=0,
        learning_rate=None,
        seconds_per_step=None,
        peak_bytes=None,
        last_loss=None,
        **_figures(config, captions, generated, np.random.default_rng((config.seed, 0))),
        held_out=_share(_named(aligned.held_out_captions, aligned.held_out_labels)),
    )


def _figures(
    config: AblationsConfig, captions: Sequence[Caption], generated: Generated, random: np.random.Generator
) -> dict[str, Any]:
    """Estimate how the captions of the evaluation photos are worded and what they name."""
    written = [
        record.model_copy(update={"after": caption.text})
        for record, caption in zip(generated.records, captions, strict=True)
    ]
    parted = spaced(generated.model_copy(update={"records": tuple(written)}), config.language)
    texts = [record.after for record in parted.records]
    labels = [record.label for record in parted.records]
    references = [record.references for record in parted.records]
    people = expected_texts(parted)
    english, by_words = is_english(config.language, people), not unparted(config.language, people)

    def mean(values: Sequence[float]) -> Estimate:
        own = np.array(values, dtype=float)
        return bootstrapped(lambda at: float(own[at].mean()), len(own), config.resamples, random)

    with_classes = by_words and all(label is not None for label in labels)
    colours = [right_colour(*pair) for pair in zip(texts, references, strict=True)]
    return {
        "length": mean([len(words(text)) for text in texts]),
        "distance": jackknifed(style.distance_measure(texts, references), len(texts)),
        "right_class": mean(_named(texts, [label or "" for label in labels])) if with_classes else None,
        "right_colour": mean(colours) if english else None,
        "ended": mean([caption.ended for caption in captions]),
    }


def _named(captions: Sequence[str], labels: Sequence[str]) -> list[bool]:
    return [names_class(text, label) for text, label in zip(captions, labels, strict=True)]


def _share(right: Sequence[bool]) -> Estimate | None:
    """Estimate the share of held-out photos that were named right, None where nothing is held out."""
    return wilson(sum(right), len(right)) if right else None
