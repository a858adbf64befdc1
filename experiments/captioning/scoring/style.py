"""How captions are worded, whatever they say: how varied, how new, how unlike the references.

Each measure counts words once and adds them up afterwards, since intervals ask for it thousands of times.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.special import entr, gammaln

from experiments.captioning.scoring.words import ngrams, words
from experiments.statistics.paired import Measure

Gram = tuple[str, ...]

_EACH, _MOST = 3, 200
"""Words at which the words of two texts are compared: for each image, and at most.

Hardly a caption is shorter. Of texts that are, as many words are compared as the shorter one has: before and
after then differ in that number.
"""


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

    Each image has one caption and its own references. The measure is the Jensen-Shannon divergence of two
    word frequencies, in bits (Lin 1991, IEEE Trans. Inf. Theory 37:145): 0 is alike, 1 shares no word.
    Between finite texts it falls as they grow longer, whoever wrote them. So both are rarefied (Sanders 1968,
    Am. Nat. 102:243; Hurlbert 1971, Ecology 52:577): the figure is its exact expectation between equally many
    words drawn from each without replacement, `_EACH` for every image and `_MOST` at most. Texts of one
    writer thus score alike at any length, above 0 by chance. Texts with fewer words are compared at these.
    """
    written = [_grams(caption, 1) for caption in captions]
    expected = [[gram for text in own for gram in _grams(text, 1)] for own in references]
    counts = _counted([*written, *expected])
    ours, theirs = counts[: len(written)], counts[len(written) :]
    drawn = min(_EACH * len(captions), _MOST)

    def measure(at: np.ndarray) -> float:
        one, other = _summed(ours, at), _summed(theirs, at)
        if not one.any() or not other.any():
            return float(one.any() != other.any())
        return _rarefied_divergence(one, other, min(drawn, int(one.sum()), int(other.sum())))

    return measure


def _rarefied_divergence(one: np.ndarray, other: np.ndarray, drawn: int) -> float:
    """Return the mean divergence in bits of `drawn` words from each of two texts, by their counts (W,).

    Entropies are sums over words, so that their means need only how often each word is drawn: which is
    hypergeometric, and the same for all words of one count.
    """
    times = np.arange(drawn + 1)
    ours, theirs = np.unique_inverse(one), np.unique_inverse(other)
    chances = _chances(ours.values, int(one.sum()), drawn)
    other_chances = _chances(theirs.values, int(other.sum()), drawn)
    alone, together = _entropy_parts(times / drawn), _entropy_parts(np.add.outer(times, times) / (2 * drawn))
    mixed = (chances @ together @ other_chances.T)[ours.inverse_indices, theirs.inverse_indices].sum()
    apart = (chances @ alone)[ours.inverse_indices].sum()
    other_apart = (other_chances @ alone)[theirs.inverse_indices].sum()
    return float(mixed - (apart + other_apart) / 2)


def _chances(counts: np.ndarray, total: int, drawn: int) -> np.ndarray:
    """Return how likely a word of each count is among `drawn` of `total` words 0, 1, … times: (C, drawn + 1).

    `scipy.stats.hypergeom` says the same in a hundred times the time, and there is one of these an image.
    """
    times, own = np.arange(drawn + 1), counts[:, None]
    others = total - own - (drawn - times)
    possible = (times <= own) & (others >= 0)
    left, others = np.where(possible, own - times, 0), np.where(possible, others, 0)
    logarithm = (
        gammaln(own + 1) - gammaln(times + 1) - gammaln(left + 1)
        + gammaln(total - own + 1) - gammaln(drawn - times + 1) - gammaln(others + 1)
        - (gammaln(total + 1) - gammaln(drawn + 1) - gammaln(total - drawn + 1))
    )  # fmt: skip
    return np.exp(np.where(possible, logarithm, -np.inf))


def _entropy_parts(shares: np.ndarray) -> np.ndarray:
    """Return what words of these shares each add to an entropy in bits."""
    return entr(shares) / np.log(2)


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
