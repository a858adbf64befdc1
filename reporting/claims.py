"""Sentences that follow the results: a claim has three wordings, and its evidence chooses one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from experiments.results.evidence import Evidence, Tested

Says = Literal["holds", "fails", "unclear"]
Word = str | tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """One sentence of the report, as data.

    `holds`, `fails` and `unclear` are its wordings, Jinja sources of Markdown; one is None where the
    evidence cannot come out so. They see `words`: text as it is, and numbers and names as a method of
    `Numbers` with its arguments, such as ``("percent", "vit.top1")``. They also see ``shown()``, which
    prints the claim's first test, and ``link(text)``; both lead to the evidence. `tests` are keys of
    `Evidence.tests`; `facts` are paths in the results of what a claim rests on besides.
    """

    id: str
    group: str
    says: Says
    holds: str | None
    fails: str | None
    unclear: str | None = None
    words: Mapping[str, Word] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def wording(self) -> str:
        """The wording that the evidence chooses.

        Raises:
            ValueError: if the evidence came out as the claim says it cannot.
        """
        wording = getattr(self, self.says)
        if wording is None:
            raise ValueError(f"the claim {self.id} has no wording for what it says: {self.says}")
        return wording

    @property
    def anchor(self) -> str:
        """The identifier of the claim's evidence on the page of provenance."""
        return f"claim-{self.id.replace('_', '-')}"

    def stages(self, evidence: Evidence) -> tuple[str, ...]:
        """Return the results that the claim rests on."""
        tested = [stage for key in self.tests for stage in evidence.tests[key].stages]
        read = [path.partition(".")[0] for path in self.facts]
        return tuple(dict.fromkeys((*tested, *read)))


def by_test(test: Tested, *, lower: bool = False) -> Says:
    """Return what a test says of the claim that one figure is higher (or `lower`) than the other."""
    if test.verdict == "unclear":
        return "unclear"
    return by_fact(test.verdict == ("lower" if lower else "higher"))


def by_fact(holds: bool) -> Says:
    """Return what a fact says, which needs no test."""
    return "holds" if holds else "fails"
