"""How captions are worded, whatever they say: how varied, how new, how unlike the references."""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from scipy.spatial.distance import jensenshannon

from experiments.captioning.words import ngrams, words
from experiments.statistics.paired import Measure


def vocabulary(captions: Sequence[str]) -> frozenset[str]:
    """Return the words that occur in any of `captions`."""
    return frozenset(word for caption in captions for word in words(caption))


def distinct(captions: Sequence[str], n: int) -> float:
    """Return distinct-n: the share of different ones among all runs of `n` words, in [0, 1].

    Li et al. (2016), N16-1014. It falls with the number of words, so that only captions of the same
    images should be compared.
    """
    grams = [gram for caption in captions for gram in ngrams(words(caption), n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def new_share(captions: Sequence[str], known: Collection[str]) -> float:
    """Return the share of the words of `captions` that are not among `known`, in [0, 1]."""
    tokens = [word for caption in captions for word in words(caption)]
    return sum(word not in known for word in tokens) / len(tokens) if tokens else 0.0


def distance(captions: Sequence[str], references: Sequence[str]) -> float:
    """Return how differently two sets of captions use words: 0 is alike, 1 shares no word.

    The Jensen-Shannon divergence of their word frequencies, in bits (Lin 1991, IEEE Trans. Inf. Theory
    37:145). Small sets differ by chance alone, so that 0 is out of reach.
    """
    counts = [Counter(word for text in texts for word in words(text)) for texts in (captions, references)]
    if not all(counts):
        return float(counts[0] != counts[1])
    known = sorted(set().union(*counts))
    one, other = ([count[word] for word in known] for count in counts)
    # The rounding of equal frequencies can fall below zero, whose root is not a number.
    return float(np.nan_to_num(jensenshannon(one, other, base=2)) ** 2)


def distance_measure(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Measure:
    """Return `distance` as a measure of images, each with one caption and its own references."""

    def measure(at: np.ndarray) -> float:
        places: list[int] = at.tolist()
        others = [text for place in places for text in references[place]]
        return distance([captions[place] for place in places], others)

    return measure
