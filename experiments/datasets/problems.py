"""Many problems told by kind: thousands of lines would hide the one that matters."""

import re
from collections.abc import Sequence

from pipeline.errors import UserError

SHOWN = 5
"""So many problems one error tells."""

_NAMES = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\d[\d,.:]*)(?:(?:, | and )(?='|"|\d))?""")
"""Names and numbers, which differ among sentences of one kind."""


def few_of_each_kind(sentences: Sequence[str], most: int = 3) -> list[str]:
    """Return of sentences that differ in names and numbers alone the first, and how many more there are."""
    told: list[str] = []
    for alike in _by_kind(sentences):
        told += [sentences[position] for position in alike[:most]]
        if len(alike) > most:
            told.append(f"And {len(alike) - most:,} more of the same kind.")
    return told


def in_one(phrases: Sequence[str], between: str = " ") -> str:
    """Return `SHOWN` of the phrases, of each kind some, in one line, and how many more there are."""
    ranked = sorted((rank, at) for alike in _by_kind(phrases) for rank, at in enumerate(alike))
    shown = [phrases[at] for at in sorted(at for _, at in ranked[:SHOWN])]
    more = len(phrases) - len(shown)
    return between.join([*shown, *([f"And {more:,} more"] if more else [])])


def refuse(problems: Sequence[str]) -> None:
    """Raise some of these sentences in one.

    Raises:
        UserError: if there is any; its text is one line, and counts those that it leaves out.
    """
    if problems:
        raise UserError(in_one(problems) + ("." if len(problems) > SHOWN else ""))


def _by_kind(sentences: Sequence[str]) -> list[list[int]]:
    """Return the positions of the sentences of each kind."""
    kinds: dict[str, list[int]] = {}
    for position, sentence in enumerate(sentences):
        kinds.setdefault(_NAMES.sub("…", sentence), []).append(position)
    return list(kinds.values())
