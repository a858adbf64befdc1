"""How captions are worded, whatever they say: how varied, how new, how unlike the references.

Each measure counts words once and adds them up afterwards, since intervals ask for it thousands of times.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial.distance import jensenshannon

from experiments.captioning.scoring.words import ngrams, words
from experiments.statistics.paired import Measure

Gram = tuple[str, ...]


def vocabulary(captions: Sequence[str]) -> frozenset[str]:
    """Return the words that occur in any of `captions`."""
    return frozenset(word for caption in captions for word in words(caption))


def vocabulary_measure(captions: Sequence[str]) -> Measure:
    """Return how many different words there are, as a measure of images with one caption each."""
    counts = _counted([_grams(caption, 1) for caption in captions])
    return lambda at: int(np.count_nonzero(_summed(counts, at)))


def distinct_measure(captions: Sequence[str], n: int) -> Measure:
    """Return distinct-n as a measure of images with one caption each: a share in [0, 1].

    It is that of the different ones among all runs of `n` words (Li et al. 2016, N16-1014), and 0 where no
    caption has as many. It falls with the number of words, so that only captions of the same images should
    be compared.
    """
    counts = _counted([_grams(caption, n) for caption in captions])

    def measure(at: np.ndarray) -> float:
        together = _summed(counts, at)
        return float(np.count_nonzero(together) / max(together.sum(), 1))

    return measure


def new_words_measure(captions: Sequence[str], known: frozenset[str]) -> Measure:
    """Return the share of words that are not among `known`, as a measure of images with one caption each."""
    new = np.array([sum(word not in known for word in words(caption)) for caption in captions])
    every = np.array([len(words(caption)) for caption in captions])
    return lambda at: float(new[at].sum() / max(every[at].sum(), 1))


def distance_measure(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Measure:
    """Return how differently captions and references use words, as a measure of images.

    Each image has one caption and its own references. The measure is the Jensen-Shannon divergence of the
    two word frequencies, in bits (Lin 1991, IEEE Trans. Inf. Theory 37:145): 0 is alike, 1 shares no word.
    Small sets differ by chance alone, so that 0 is out of reach.
    """
    written = [_grams(caption, 1) for caption in captions]
    expected = [[gram for text in own for gram in _grams(text, 1)] for own in references]
    counts = _counted([*written, *expected])
    ours, theirs = counts[: len(written)], counts[len(written) :]

    def measure(at: np.ndarray) -> float:
        one, other = _summed(ours, at), _summed(theirs, at)
        if not one.any() or not other.any():
            return float(one.any() != other.any())
        # The rounding of equal frequencies can fall below zero, whose root is not a number.
        return float(np.nan_to_num(jensenshannon(one, other, base=2)) ** 2)

    return measure


def _grams(caption: str, n: int) -> list[Gram]:
    return ngrams(words(caption), n)


def _counted(texts: Sequence[Sequence[Gram]]) -> csr_array:
    """Return how often each text, a row, holds each gram of all texts, a column."""
    place: dict[Gram, int] = {}
    values, columns, ends = [], [], [0]
    for text in texts:
        for gram, times in Counter(text).items():
            columns.append(place.setdefault(gram, len(place)))
            values.append(times)
        ends.append(len(columns))
    return csr_array((values, columns, ends), shape=(len(texts), len(place)), dtype=np.int64)


def _summed(counts: csr_array, at: np.ndarray) -> np.ndarray:
    """Return the sum of the rows at these positions, which may hold a row twice or not at all."""
    return counts.T @ np.bincount(at, minlength=len(counts.indptr) - 1)
