"""The report's claims in words, each with a mark that leads to its evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jinja2

from pipeline.errors import UserError, reason
from reporting.audit_claims import brief_claims
from reporting.caption_claims import caption_claims
from reporting.claims import Claim, Several, Word, headings, require_groups, wordings
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
            UserError: if one is no group.
        """
        require_groups(*groups)
        return [name for name, claim in self.claims.items() if claim.group in groups]

    def grouped(self) -> list[tuple[Markdown, list[str]]]:
        """Return heading and claims of every group in the table of evidence, in the order of its rows."""
        groups = dict.fromkeys(self.claims[name].group for name in self.rows)
        return [(escape(self.word(headings()[name])), self.of(name)) for name in groups]

    def told(self, *names: str) -> Markdown:
        """Return those of the claims that there are as a text, in which each sentence follows the one before.

        After good news bad news begins with "but", and the other way round. What cannot be told comes last,
        in one sentence.
        """
        told = [name for name in names if name in self.claims and not self.claims[name].is_untold]
        sentences = [self.said(name, after=told[at - 1] if at else "") for at, name in enumerate(told)]
        return Markdown(" ".join(filter(None, [*sentences, self.untold(*names)])))

    def said(self, name: str, *, after: str = "", marked: bool = True) -> Markdown:
        """Return the claim called `name` as a sentence in the wording that its evidence chooses, with a mark.

        It is joined to the claim `after` which it stands.

        Raises:
            KeyError: if there is no such claim.
        """
        claim = self.claims[name]
        if claim.is_untold:
            return self._untold([name], marked=marked)
        before = self.claims[after].good if after else None
        turn = "" if None in (before, claim.good) else "too" if before == claim.good else "but"
        joined = {word: text if word == turn else "" for word, text in wordings()["turn"].items()}
        text = _begun(self._filled(claim.source, claim, **joined))
        return Markdown(text + self.mark(name) if marked else text)

    def untold(self, *names: str) -> Markdown:
        """Return those of the claims that cannot be told in one sentence; nothing where there are none."""
        there = [name for name in names if name in self.claims and self.claims[name].is_untold]
        return self._untold(there) if there else Markdown("")

    def _untold(self, names: Sequence[str], *, marked: bool = True) -> Markdown:
        """Return claims of what cannot be told in one sentence, with a mark for each."""
        clauses = [self._filled(self.claims[name].source, self.claims[name]) for name in names]
        marks = [self.mark(name) if marked else "" for name in names]
        first = [Markdown(clause + mark) for clause, mark in zip(clauses[:-1], marks[:-1], strict=True)]
        sentence = _template(self.environment, wordings()["untold"]["sentence"])
        text = sentence.render(what=_listed([*first, clauses[-1]], "or"))
        return Markdown(text + marks[-1])

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

    def _filled(self, source: str, claim: Claim, **turn: str) -> Markdown:
        words = {key: self.word(word) for key, word in claim.words.items()}
        try:
            return Markdown(_template(self.environment, source).render({"n": self.numbers, **turn, **words}))
        except jinja2.TemplateError as error:
            where = ".".join(claim.chosen)
            raise UserError(f"reporting/wordings.toml: {where} cannot be filled: {reason(error)}") from error

    def word(self, word: Word) -> str:
        """Return a word of a claim as Markdown, unless it is text as it is."""
        if isinstance(word, Several):
            return _listed([f"{word.each}{self.word(each)}" for each in word.words], word.last)
        return word if isinstance(word, str) else getattr(self.numbers, word[0])(*word[1:])


@lru_cache(maxsize=1024)
def _template(environment: jinja2.Environment, source: str) -> jinja2.Template:
    """Return a wording as a template, which takes longer to make than to fill."""
    return environment.from_string(source)


def _listed(words: Sequence[str], last: str) -> Markdown:
    """Return words as a sentence lists them."""
    return Markdown(f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])))


def _begun(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a number or a name."""
    return text[:1].upper() + text[1:]
