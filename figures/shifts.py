"""Which words captions use more often, and which less often, than before."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.captioning.scoring.words import words
from experiments.results.captions import ComparedRecord

MOST = 8
"""So many words are shown of each kind."""


@dataclass(frozen=True)
class Shift:
    """A word, and the share of photos whose caption has it before, after, and in the first reference."""

    word: str
    before: float
    after: float
    references: float

    @property
    def change(self) -> float:
        """How much larger the share is after than before."""
        return self.after - self.before


def shifts(records: Sequence[ComparedRecord]) -> tuple[tuple[Shift, ...], tuple[Shift, ...]]:
    """Return the words that rose and those that fell most, the largest change first, equals by alphabet.

    A word counts once a caption. One photo more or less is no shift.
    """
    before, after, references = (
        [frozenset(words(text)) for text in texts]
        for texts in (
            (record.before for record in records),
            (record.after for record in records),
            (record.references[0] for record in records),
        )
    )
    known = sorted(frozenset().union(*before, *after))

    def share(word: str, captions: Sequence[frozenset[str]]) -> float:
        return sum(word in caption for caption in captions) / len(captions)

    found = [Shift(word, *(share(word, each) for each in (before, after, references))) for word in known]
    clear = [shift for shift in found if abs(shift.change) * len(records) > 1.5]
    rising = sorted((shift for shift in clear if shift.change > 0), key=lambda shift: -shift.change)
    falling = sorted((shift for shift in clear if shift.change < 0), key=lambda shift: shift.change)
    return tuple(rising[:MOST]), tuple(falling[:MOST])
