"""Whether a caption names the right colours."""

from collections.abc import Sequence

from experiments.captioning.scoring.words import words

COLOURS = frozenset(
    ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown",
     "tan", "beige", "cream", "gold", "silver")
)  # fmt: skip
"""The eleven basic colour terms of English (Berlin & Kay 1969) and five that captions use beside them."""

_SPELLINGS = {"gray": "grey", "golden": "gold", "reddish": "red", "whitish": "white", "bluish": "blue"}


def colours(caption: str) -> frozenset[str]:
    """Return the colours that `caption` names, "gray" as "grey" and "greenish" as "green"."""
    return frozenset(map(_colour, words(caption))) & COLOURS


def right_colour(caption: str, references: Sequence[str]) -> bool:
    """Tell whether `caption` names a colour that a reference names."""
    return bool(colours(caption) & colours(" ".join(references)))


def wrong_colour(caption: str, references: Sequence[str]) -> bool:
    """Tell whether `caption` names a colour that no reference names."""
    return bool(colours(caption) - colours(" ".join(references)))


def _colour(word: str) -> str:
    return _SPELLINGS.get(word, word.removesuffix("ish"))
