"""The words of a caption, for every measure the same."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in lower case, without punctuation; a hyphen parts two words.

    Captions are compared without punctuation and capitals, as is usual (Chen et al. 2015,
    arXiv:1504.00325, section 3): a model is not to gain or lose by a full stop.
    """
    return tuple(_WORD.findall(text.lower()))


def ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Return the runs of `n` words, in order, repetitions included."""
    return [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
