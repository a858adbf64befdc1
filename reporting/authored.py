"""The author's sentences that are bound to a test: said, said otherwise, or struck out, as it comes out."""

from dataclasses import dataclass

from experiments.config.comparison import EvidenceConfig
from experiments.results.evidence import Evidence
from reporting.bindings import Bound, Compared, Outcome, bound, compared
from reporting.cited import note
from reporting.markdown import Markdown, command, words
from reporting.numbers import NO_BREAK, Numbers
from reporting.sentences import Sentences

WORD_JOINER = "\N{WORD JOINER}"
IN_WORDS: dict[Outcome, str] = {"holds": "so", "fails": "the opposite", "unclear": "cannot be told"}


@dataclass(frozen=True)
class Authored:
    """What says the author's sentences: the family of tests, and the evidence, None where it is not there."""

    family: EvidenceConfig
    evidence: Evidence | None
    sentences: Sentences

    def said(self, binding: str, sentence: str, otherwise: str | None, unclear: str | None) -> Markdown:
        """Return the sentence that the evidence carries, or a callout with the one that it does not.

        It is a note where the test is not made yet, and nothing where the profile leaves out what it is of.
        """
        test = self.bound(binding)
        if test is None:
            return Markdown("")
        outcome = self.outcome(test)
        if outcome is None:
            return note(f"not tested yet: {binding}")
        chosen = {"holds": sentence, "fails": otherwise, "unclear": unclear}[outcome]
        if chosen is None:
            return self._struck_out(binding, test, sentence)
        sentence, mark = " ".join(words(chosen)), self._mark(test)
        # To Pandoc, brackets right after those of a footnote make it none.
        return Markdown(f"{sentence}{WORD_JOINER if mark and sentence.endswith(']') else ''}{mark}")

    def bound(self, binding: str) -> Bound | None:
        """Return the test that a binding names, None if it is of what the profile leaves out.

        Raises:
            UserError: if there is no such test.
        """
        return bound(binding, self.family, self.evidence)

    @property
    def compared(self) -> dict[str, Compared]:
        """What each test compares, by its key."""
        return compared(self.family, self.evidence)

    def outcome(self, test: Bound) -> Outcome | None:
        """Return what the evidence says of a sentence bound to a test, None while it has not got the test."""
        tested = self.evidence.tests.get(test.key) if self.evidence else None
        return test.outcome(tested) if tested else None

    def _struck_out(self, binding: str, test: Bound, sentence: str) -> Markdown:
        outcome = self.outcome(test)
        assert outcome is not None
        found = verdict(self.sentences, self.compared[test.key], test.lower)
        # Blank lines, since it may stand in the middle of a paragraph.
        return Markdown(
            '\n\n::: {.callout-important title="The evidence does not carry this sentence"}\n'
            f"~~{' '.join(words(sentence))}~~\n\n"
            f"What the evidence says of {command(binding)}: {IN_WORDS[outcome]}, {found}.\n:::\n\n"
        )

    def _mark(self, test: Bound) -> Markdown:
        """Return the mark that leads to the evidence, if a row of it is of this test."""
        claims = self.sentences.claims.items()
        name = next((name for name, claim in claims if test.key in claim.tests[:1]), None)
        return self.sentences.mark(name) if name else Markdown("")


def verdict(sentences: Sentences, test: Compared, lower: bool = False) -> Markdown:
    """Return the two figures of a test and their difference, in the order in which a sentence has them."""
    numbers: Numbers = sentences.numbers
    path = f"evidence.tests.{test.key}"
    unit = numbers.at(f"{path}.unit")
    one, other = (numbers.measured(f"{path}.{side}", unit) for side in ("one", "other"))
    if lower:
        one, other = other, one
    difference, adjusted = f"{path}.{'reversed' if lower else 'difference'}", f"{path}.adjusted"
    equals = "" if numbers.at(adjusted) < 0.001 else f"={NO_BREAK}"
    tested = f"{numbers.change(difference, unit)}, interval {numbers.reach(difference, unit)}"
    return Markdown(f"{one} against {other} ({tested}, p{NO_BREAK}{equals}{numbers.p(adjusted)})")
