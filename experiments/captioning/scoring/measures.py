"""Everything that is measured of a set of captions, as data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.captioning.scoring import metrics, style
from experiments.captioning.scoring.grounding import colours
from experiments.captioning.scoring.language import (
    ENGLISH,
    expected_texts,
    is_english,
    spaced,
    unparted,
)
from experiments.captioning.scoring.words import words
from experiments.results.captions import Better, Family, Judged, Unit
from experiments.results.generate import Generated
from experiments.statistics.paired import Measure, bootstrapped, jackknifed
from pipeline.result import Estimate


@dataclass(frozen=True)
class Side:
    """One caption a photo, its references, how each caption was judged, and whether it ended by itself."""

    captions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    judged: tuple[Judged, ...]
    ended: tuple[bool, ...]


@dataclass(frozen=True)
class Kind:
    """A measure: what `Measured` says of it, and how it is made of one side's captions.

    `of_set` marks a figure that depends on how often words repeat in the whole set, which draws with
    replacement would distort. `written` tells whether a reference, read as a caption, has such a figure.
    `judged` gives, where the measure is the share of captions with a property, which captions have it.
    """

    key: str
    name: str
    family: Family
    unit: Unit
    better: Better
    measure: Callable[[Side], Measure]
    of_set: bool = False
    written: bool = True
    judged: Callable[[Side], Sequence[bool]] | None = None


def kinds(generated: Generated, language: str = ENGLISH) -> list[Kind]:
    """Return every measure that the photos, and the language of their captions, allow.

    Those of the class need a class of every photo, those of colours a reference that names one in English.
    New words are new beside the tuning captions. Where words cannot be parted, what is left are a figure of
    characters, and what punctuation tells.
    """
    records, texts = generated.records, expected_texts(generated)
    by_words = not unparted(language, texts)
    has_colours = is_english(language, texts) and any(map(colours, texts))
    known = style.vocabulary(spaced(generated, language).tuning_captions)
    return [
        *(_agreement() if by_words else []),
        Kind("chrf", "chrF++" if by_words else "chrF", "agreement", "points", "higher",
             _mean(lambda side: _all(side, "score"))),
        *(_classes() if by_words and all(record.label is not None for record in records) else []),
        *(_colours() if has_colours else []),
        *(_style(known) if by_words else []),
        Kind("ended", "ends by itself", "health", "share", "higher",
             _mean(lambda side: side.ended), written=False, judged=lambda side: side.ended),
        _share("cut_off", "is cut off", "health", "lower"),
        *([_share("repeats", "repeats itself", "health", "lower")] if by_words else []),
        _share("rambles", "goes on after its first sentence", "health", "lower"),
    ]  # fmt: skip


def _agreement() -> list[Kind]:
    return [
        Kind("bleu", "BLEU-4", "agreement", "points", "higher", _bleu),
        Kind("cider_d", "CIDEr-D", "agreement", "points", "higher", _mean(_cider_d)),
        Kind("rouge_l", "ROUGE-L", "agreement", "points", "higher", _mean(_rouge_l)),
    ]


def _style(known: frozenset[str]) -> list[Kind]:
    return [
        Kind("length", "words a caption", "style", "words", "neither", _mean(_lengths)),
        Kind("vocabulary", "different words", "style", "count", "neither",
             lambda side: style.vocabulary_measure(side.captions), of_set=True),
        Kind("distinct_1", "distinct-1", "style", "share", "neither",
             lambda side: style.distinct_measure(side.captions, 1), of_set=True),
        Kind("distinct_2", "distinct-2", "style", "share", "neither",
             lambda side: style.distinct_measure(side.captions, 2), of_set=True),
        Kind("new_words", "words not in the tuning captions", "style", "share", "neither",
             lambda side: style.new_words_measure(side.captions, known)),
        Kind("distance", "distance from the references' words", "style", "bits", "lower",
             lambda side: style.distance_measure(side.captions, side.references), of_set=True),
    ]  # fmt: skip


def estimated(kind: Kind, measure: Measure, n: int, resamples: int, random: np.random.Generator) -> Estimate:
    """Estimate a measure of `kind` over `n` images with its interval."""
    if kind.of_set:
        return jackknifed(measure, n)
    return bootstrapped(measure, n, resamples, random)


def _classes() -> list[Kind]:
    return [
        _share("right_class", "names the right class", "grounding", "higher"),
        _share("wrong_class", "names a wrong class", "grounding", "lower"),
    ]


def _colours() -> list[Kind]:
    return [
        _share("right_colour", "names a colour of the references", "grounding", "higher"),
        _share("wrong_colour", "names another colour", "grounding", "lower"),
    ]


def _share(key: str, name: str, family: Family, better: Better) -> Kind:
    """Return the share of captions that were judged to have the property `key`."""

    def judged(side: Side) -> list[bool]:
        return _all(side, key)

    return Kind(key, name, family, "share", better, _mean(judged), judged=judged)


def _all(side: Side, key: str) -> list[Any]:
    return [getattr(judged, key) for judged in side.judged]


def _mean(values: Callable[[Side], Sequence[float] | np.ndarray]) -> Callable[[Side], Measure]:
    """Return the mean of a figure that every caption has by itself."""

    def measure(side: Side) -> Measure:
        own = np.array(values(side), dtype=float)
        return lambda at: float(own[at].mean())

    return measure


def _bleu(side: Side) -> Measure:
    counts = metrics.bleu_counts(side.captions, side.references)
    return lambda at: metrics.bleu(counts[at])


def _cider_d(side: Side) -> np.ndarray:
    return metrics.cider_d(side.captions, side.references)


def _rouge_l(side: Side) -> list[float]:
    return [metrics.rouge_l(*pair) for pair in zip(side.captions, side.references, strict=True)]


def _lengths(side: Side) -> list[int]:
    return [len(words(caption)) for caption in side.captions]
