"""How well one caption agrees with the references of its image.

In a module of its own, so that what uses it alone does not become stale when another measure changes.
"""

from collections.abc import Sequence

from sacrebleu.metrics.chrf import CHRF

from experiments.captioning.scoring.words import words

_CHRF = CHRF(word_order=2, beta=1)


def sentence_score(candidate: str, references: Sequence[str]) -> float:
    """Return the chrF of `candidate` against the reference that it fits best, from 0 to 100.

    chrF (Popović 2015, W15-3049) compares runs of one to six characters, here with runs of one and two
    words as well (chrF++, Popović 2017, W17-4770), as sacrebleu computes it. For a single short
    sentence it is the steadier choice: BLEU-4 is zero for most captions of ten words, and characters
    give "sitting" credit for "sits". Unlike the customary β = 2, which counts recall for more, β = 1
    gives a caption nothing for rambling on.

    Raises:
        ValueError: if there is no reference.
    """
    if not references:
        raise ValueError("a caption cannot be scored without references")
    plain = [" ".join(words(reference)) for reference in references]
    return _CHRF.sentence_score(" ".join(words(candidate)), plain).score
