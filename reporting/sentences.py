"""The report's claims in words, each with a mark that leads to its evidence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2

from reporting.audit_claims import brief_claims
from reporting.caption_claims import caption_claims
from reporting.claims import Claim, Word, headings, require_groups
from reporting.classifier_claims import classifier_claims
from reporting.lora_claims import lora_claims
from reporting.markdown import Markdown, escape
from reporting.numbers import Numbers

PAGE = "appendix.qmd"
"""The page of the table of evidence."""


def claims_of(values: Mapping[str, Any]) -> dict[str, Claim]:
    """Return every claim that the results allow, by its identifier, in the order of the report.

    A claim is left out while a test that it rests on is not there.
    """
    tests = values["evidence"].tests if "evidence" in values else {}
    return {claim.id: claim for claim in _claims(values) if set(claim.tests) <= set(tests)}


def _claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    if "evidence" in values:
        yield from classifier_claims(values)
        if "captions" in values:
            yield from caption_claims(values)
    yield from lora_claims(values)
    if "audit" in values:
        yield from brief_claims(values["audit"])


def rows_of(claims: Mapping[str, Claim]) -> dict[str, int]:
    """Return the number of each claim's row in the table of evidence, in the order of the rows.

    It is the same on every page. The brief's claims have no row: their evidence stands beside them.
    """
    groups = dict.fromkeys(claim.group for claim in claims.values() if claim.group in headings())
    names = (name for group in groups for name, claim in claims.items() if claim.group == group)
    return {name: row for row, name in enumerate(names, start=1)}


@dataclass(frozen=True)
class Sentences:
    """Every claim, ready to be said.

    `rows` are those of the table of evidence, without which nothing is marked; `marked` collects the claims
    whose mark was asked for, whose cards the page has to bring.
    """

    claims: Mapping[str, Claim]
    numbers: Numbers
    environment: jinja2.Environment
    rows: Mapping[str, int]
    marked: dict[str, None] = field(default_factory=dict)

    def of(self, *groups: str) -> list[str]:
        """Return the identifiers of the claims of some groups.

        Raises:
            ValueError: if one is no group.
        """
        require_groups(*groups)
        return [name for name, claim in self.claims.items() if claim.group in groups]

    def grouped(self) -> list[tuple[Markdown, list[str]]]:
        """Return heading and claims of every group in the table of evidence, in the order of its rows."""
        groups = dict.fromkeys(self.claims[name].group for name in self.rows)
        return [(escape(self._word(headings()[name])), self.of(name)) for name in groups]

    def all(self, *groups: str, between: str = " ") -> Markdown:
        """Return the claims of some groups, one after the other."""
        return Markdown(between.join(self.said(name) for name in self.of(*groups)))

    def said(self, name: str, *, marked: bool = True) -> Markdown:
        """Return the claim called `name` in the wording that its evidence chooses, with a mark at its end.

        Raises:
            KeyError: if there is no such claim.
        """
        claim = self.claims[name]

        # Until no wording asks for brackets and links in its midst any more.
        words = self._filled(claim.source, claim, link=escape, shown=lambda reverse=False: Markdown(""))
        said = Markdown(words.replace(" .", ".").replace(" ,", ",").replace(" ;", ";").rstrip())
        return Markdown(f"{said}{self.mark(name)}") if marked else said

    def mark(self, name: str) -> Markdown:
        """Return a mark that leads to the evidence of the claim called `name`, for words or a number.

        It is the number of the claim's row, and nothing while there is no table of evidence.

        Raises:
            KeyError: if there is no such claim.
        """
        anchor = self.claims[name].anchor
        if name not in self.rows:
            return Markdown("")
        self.marked[name] = None
        row = self.numbers.count(f"rows.{name}")
        return Markdown(f'[{row}]({PAGE}#{anchor}){{.evidence data-card="card-{anchor}"}}')

    def found(self, name: str) -> Markdown:
        """Return what was found of the claim called `name`, to stand beside it."""
        return self._filled(self.claims[name].found, self.claims[name])

    def _filled(self, source: str, claim: Claim, **functions: Callable[..., Markdown]) -> Markdown:
        words = {key: self._word(word) for key, word in claim.words.items()}
        template = self.environment.from_string(source)
        return Markdown(template.render({"n": self.numbers, **functions, **words}))

    def _word(self, word: Word) -> str:
        return word if isinstance(word, str) else getattr(self.numbers, word[0])(*word[1:])
