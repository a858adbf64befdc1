"""What can be wrong with a caption as a sentence, whatever it says."""

import re
from collections import Counter
from collections.abc import Sequence

from experiments.captioning.scoring.grounding import COLOURS
from experiments.captioning.scoring.words import words

# A full stop that ends a sentence: not one within "3.5" or after "st." or a single letter such as in "U.S.".
_ABBREVIATION = re.compile(r"(?i)\b(?:mr|mrs|ms|dr|st|no|vs|etc|[a-z])\.$")
_SENTENCE_END = re.compile(r"[.!?؟۔।॥]+(?=\s|$)|[。！？]+")
_ENDED = re.compile(r"[.!?؟۔।॥。！？]+[\"'”’)」』]?$")

_UNFINISHED = frozenset(
    ("a", "an", "the", "this", "that", "these", "those", "its", "his", "her", "their", "some", "and", "or",
     "but", "with", "without", "of", "to", "from", "into", "onto", "at", "for", "than", "as", "while",
     "which", "who",
     "whose", "is", "are", "was", "were", "be", "being", "very", "between", "among", "against", "near",
     "under", "beside", "on", "in", "by")
)  # fmt: skip
"""Words after which an English sentence hardly ends.

The last three can end one ("looking in", "passing by"), but in a caption that is rare beside "a dog
lying on"; "up", "down", "off", "out" and "over" are left out, being the other way round."""

_EMPTY = _UNFINISHED | frozenset(("up", "down", "over", "it", "one", "two"))
_OFTEN = 3
_STUTTER = re.compile(r"(?i)([a-z])\1\1")


def cut_off(text: str, ended: bool, *, english: bool = True) -> bool:
    """Tell whether a caption stops in mid-sentence: by the token limit, or as its wording shows.

    `ended` tells whether the model ended the caption by itself. The wording shows it by a last word that
    wants another, which only `english` ones are known to, by a comma at the end, or by a last sentence
    without a full stop after one that has one.
    """
    sentences = _sentences(text)
    stripped = text.rstrip()
    unfinished = bool(sentences) and not _ends(stripped)
    tokens = words(sentences[-1]) if sentences else ()
    return (
        not ended
        or (unfinished and len(sentences) > 1)
        or stripped.endswith((",", ";", ":", "-", "(", "&", "，", "、", "،"))
        or (english and bool(tokens and tokens[-1] in _UNFINISHED))
    )


def repeats(text: str, *, english: bool = True) -> bool:
    """Tell whether a caption repeats itself.

    It does where a run of words follows upon itself ("on the grass on the grass"), where a word occurs
    three times that is neither a colour nor one of the small words that any sentence repeats, or where a
    letter stands three times in a row ("aaa white bird"), as in no English word. In another language than
    `english` small words are not known, and some double a word or a syllable by their grammar, so that there
    only a longer run that follows upon itself tells, or a word three times in a row.
    """
    tokens = words(text)
    if not english:
        thrice = any(len(set(tokens[at : at + _OFTEN])) == 1 for at in range(len(tokens) - _OFTEN + 1))
        return thrice or _follows_itself(tokens, 2)
    again = _follows_itself(tokens, 1)
    telling = Counter(token for token in tokens if token not in _EMPTY | COLOURS)
    return again or any(times >= _OFTEN for times in telling.values()) or bool(_STUTTER.search(text))


def _follows_itself(tokens: Sequence[str], least: int) -> bool:
    """Tell whether a run of `least` words or more follows upon itself."""
    return any(
        tokens[start : start + n] == tokens[start + n : start + 2 * n]
        for n in range(least, len(tokens) // 2 + 1)
        for start in range(len(tokens) - 2 * n + 1)
    )


def rambles(text: str) -> bool:
    """Tell whether a caption goes on after its first sentence has ended.

    References are single sentences, so that even a proper second one is more than was asked for.
    """
    return len(_sentences(text)) > 1


def _ends(text: str) -> bool:
    return bool(_ENDED.search(text)) and not _ABBREVIATION.search(text)


def _sentences(text: str) -> list[str]:
    """Return the sentences of `text` that hold a word, each with its full stop."""
    parts, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text[: end.end()]):
            parts.append(text[start : end.end()])
            start = end.end()
    return [part for part in (*parts, text[start:]) if words(part)]
