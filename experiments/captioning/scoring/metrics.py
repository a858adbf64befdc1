"""How far captions agree with the references of their images: BLEU-4, CIDEr-D, ROUGE-L and chrF++.

BLEU and chrF++ are sacrebleu's: small, kept up, and the field's standard implementation. CIDEr-D and ROUGE-L
are a few lines each here. Their reference implementation, pycocoevalcap, is a hundred megabytes of Java tools
that these two do not use, and pulls in compiled COCO tools; rouge-score brings NLTK and has seen no release
since 2022. Tests hold both against examples worked by hand.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from experiments.captioning.scoring.words import ngrams, words

Gram = tuple[str, ...]

_ORDER = 4
# The effective order concerns scores of single sentences, of which only the counts are used.
_BLEU = BLEU(tokenize="none", effective_order=True)
_CHRF = CHRF(word_order=2, beta=1)
_CHRF_OF_CHARACTERS = CHRF(word_order=0, beta=1)


def bleu_counts(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """Return what BLEU-4 is made of, one row an image: matches and totals of n-grams, and two lengths."""
    rows = []
    for candidate, own in zip(candidates, references, strict=True):
        found = _BLEU.sentence_score(" ".join(words(candidate)), [" ".join(words(text)) for text in own])
        rows.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
    return np.array(rows)


def bleu(counts: np.ndarray) -> float:
    """Return the BLEU-4 of a corpus from 0 to 100, from rows of `bleu_counts`.

    Papineni et al. (2002), P02-1040; sacrebleu's default smoothing (Post 2018, W18-6319).
    """
    total = counts.sum(axis=0)
    matches, possible, lengths = total[:_ORDER].tolist(), total[_ORDER : 2 * _ORDER].tolist(), total[-2:]
    return BLEU.compute_bleu(matches, possible, int(lengths[0]), int(lengths[1]), smooth_method="exp").score


def cider_d(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the CIDEr-D of each caption, from 0 to 10; a corpus's is the mean.

    Vedantam et al. (2015), arXiv:1411.5726, section 5.3, with σ = 6. The weight of an n-gram falls with the
    number of images whose references hold it, counted here on the evaluation references themselves: on a
    few dozen images, so that the figures must not be set beside those on COCO.
    """
    seen = Counter(gram for own in references for gram in set().union(*map(_grams, own)))
    corpus = np.log(len(references))
    weights = {gram: corpus - np.log(images) for gram, images in seen.items()}
    return np.array(
        [
            np.mean([_similarity(candidate, reference, weights, corpus) for reference in own])
            for candidate, own in zip(candidates, references, strict=True)
        ]
    )


def _grams(text: str) -> Counter[Gram]:
    tokens = words(text)
    return Counter(gram for n in range(1, _ORDER + 1) for gram in ngrams(tokens, n))


def _similarity(candidate: str, reference: str, weights: dict[Gram, float], unseen: float) -> float:
    """Return ten times the mean over n of the clipped cosine of two captions' weighted n-grams."""
    vectors = [
        {gram: times * weights.get(gram, unseen) for gram, times in _grams(text).items()}
        for text in (candidate, reference)
    ]
    cosines = [
        _clipped_cosine(*({g: w for g, w in vector.items() if len(g) == n} for vector in vectors))
        for n in range(1, _ORDER + 1)
    ]
    # The reference implementation measures length in pairs of words.
    lengths = [max(len(words(text)) - 1, 0) for text in (candidate, reference)]
    return float(10 * np.mean(cosines) * np.exp(-((lengths[0] - lengths[1]) ** 2) / (2 * 6**2)))


def _clipped_cosine(one: dict[Gram, float], other: dict[Gram, float]) -> float:
    product = sum(min(weight, other[gram]) * other[gram] for gram, weight in one.items() if gram in other)
    norms = [sum(weight**2 for weight in vector.values()) ** 0.5 for vector in (one, other)]
    return product / (norms[0] * norms[1]) if all(norms) else 0.0


def rouge_l(candidate: str, references: Sequence[str]) -> float:
    """Return the ROUGE-L of a caption from 0 to 100, as captioning uses it.

    Lin (2004), W04-1013: the longest common subsequence of words, as precision and as recall,
    each at its best reference, joined with β = 1.2 (Chen et al. 2015, arXiv:1504.00325).
    """
    tokens = words(candidate)
    pairs = [(_common(tokens, words(reference)), len(words(reference))) for reference in references]
    precision = max(common for common, _ in pairs) / max(len(tokens), 1)
    recall = max(common / max(length, 1) for common, length in pairs)
    if not precision:
        return 0.0
    return 100 * (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence.

    Each word of `other` is one step for all of `one` at once, which are the bits of a number (Hyyrö 2004,
    Bit-parallel LCS-length computation revisited, AWOCA): 0 where the length grows by one.
    """
    places: dict[str, int] = {}
    for position, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << position
    every = (1 << len(one)) - 1
    row = every
    for word in other:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & every
    return len(one) - row.bit_count()


def sentence_score(candidate: str, references: Sequence[str], *, by_words: bool = True) -> float:
    """Return the chrF of `candidate` against the reference that it fits best, from 0 to 100.

    chrF (Popović 2015, W15-3049) compares runs of one to six characters, here with runs of one and two
    words as well (chrF++, Popović 2017, W17-4770), as sacrebleu computes it. For a single short
    sentence it is the steadier choice: BLEU-4 is zero for most captions of ten words, and characters
    give "sitting" credit for "sits". Unlike the customary β = 2, which counts recall for more, β = 1
    gives a caption nothing for rambling on. Without `by_words` it is plain chrF, of characters alone.

    Raises:
        ValueError: if there is no reference.
    """
    if not references:
        raise ValueError("a caption cannot be scored without references")
    plain = [" ".join(words(reference)) for reference in references]
    score = _CHRF if by_words else _CHRF_OF_CHARACTERS
    return score.sentence_score(" ".join(words(candidate)), plain).score
