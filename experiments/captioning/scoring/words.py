"""The words of a caption, for every measure the same."""

import unicodedata
from collections.abc import Sequence

import regex

JOINER = "\u2060"
"""Between two letters, it says that they belong to one word: see `language.spaced`."""

_WORD = regex.compile(
    r"[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200c\u200d\u2060]*(?:['’][\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*"
)
_WITHOUT_BLANKS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_BOUNDARY = regex.compile(r"(?w)\b")


def words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in lower case, without punctuation; a hyphen parts two words.

    Captions are compared without punctuation and capitals, as is usual (Chen et al. 2015,
    arXiv:1504.00325, section 3): a model is not to gain or lose by a full stop. An accent is the same letter
    whether it stands by itself or not (Unicode's NFC). Chinese characters are a word each, as Unicode's rules
    have it (UAX 29) and as is usual for BLEU.
    """
    found = _WORD.findall(unicodedata.normalize("NFC", text.lower()))
    return tuple(word for run in found for word in _parted(run))


def _parted(run: str) -> list[str]:
    """Return the words of letters that follow on each other."""
    if JOINER in run or not _WITHOUT_BLANKS.search(run):
        return [run.replace(JOINER, "")]
    return [part for part in _BOUNDARY.split(run) if part]


def ngrams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """Return the runs of `n` words, in order, repetitions included."""
    return [tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
