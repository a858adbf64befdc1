"""The report's claims in words, each with a link to its evidence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2

from reporting.audit_claims import brief_claims
from reporting.caption_claims import caption_claims
from reporting.claims import Claim, Word, headings, require_groups
from reporting.classifier_claims import classifier_claims
from reporting.lora_claims import lora_claims
from reporting.markdown import Markdown, escape
from reporting.numbers import NO_BREAK, Numbers

PAGE = "provenance.qmd"


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


@dataclass(frozen=True)
class Sentences:
    """Every claim, ready to be said."""

    claims: Mapping[str, Claim]
    numbers: Numbers
    environment: jinja2.Environment

    def of(self, *groups: str) -> list[str]:
        """Return the identifiers of the claims of some groups.

        Raises:
            ValueError: if one is no group.
        """
        require_groups(*groups)
        return [name for name, claim in self.claims.items() if claim.group in groups]

    def grouped(self) -> list[tuple[Markdown, list[str]]]:
        """Return heading and claims of every group that has both, in the order of their first claims."""
        groups = dict.fromkeys(claim.group for claim in self.claims.values())
        known = headings()
        return [(escape(self._word(known[name])), self.of(name)) for name in groups if name in known]

    def all(self, *groups: str, between: str = " ") -> Markdown:
        """Return the claims of some groups, one after the other."""
        return Markdown(between.join(self.said(name) for name in self.of(*groups)))

    def said(self, name: str, *, linked: bool = True) -> Markdown:
        """Return the claim called `name` in the wording that its evidence chooses.

        Raises:
            KeyError: if there is no such claim.
        """
        claim = self.claims[name]

        def link(text: object) -> Markdown:
            words = escape(text)
            return Markdown(f"[{words}]({PAGE}#{claim.anchor})") if linked else words

        def shown(reverse: bool = False) -> Markdown:
            return Markdown(f"({link(self.tested(claim.tests[0], reverse=reverse))})")

        return self._filled(claim.source, claim, link=link, shown=shown)

    def mark(self, name: str) -> Markdown:
        """Return a mark that leads to the evidence of the claim called `name`."""
        return Markdown(f"^[•]({PAGE}#{self.claims[name].anchor})^")

    def found(self, name: str) -> Markdown:
        """Return what was found of the claim called `name`, to stand beside it."""
        return self._filled(self.claims[name].found, self.claims[name])

    def _filled(self, source: str, claim: Claim, **functions: Callable[..., Markdown]) -> Markdown:
        words = {key: self._word(word) for key, word in claim.words.items()}
        template = self.environment.from_string(source)
        return Markdown(template.render({"n": self.numbers, **functions, **words}))

    def _word(self, word: Word) -> str:
        return word if isinstance(word, str) else getattr(self.numbers, word[0])(*word[1:])

    def tested(self, key: str, *, reverse: bool = False) -> Markdown:
        """Return the difference that a test found, with its interval and its adjusted p-value."""
        path = f"evidence.tests.{key}"
        unit = self.numbers.at(f"{path}.unit")
        difference = f"{path}.{'reversed' if reverse else 'difference'}"
        adjusted = f"{path}.adjusted"
        equals = "" if self.numbers.at(adjusted) < 0.001 else f"={NO_BREAK}"
        return Markdown(
            f"{self.numbers.change(difference, unit)}, interval {self.numbers.reach(difference, unit)},"
            f" p{NO_BREAK}{equals}{self.numbers.p(adjusted)}"
        )
