"""Sentences that follow the results: a claim has a few wordings, and its evidence chooses one of them.

The wordings stand in `wordings.toml`, by claim and outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import RootModel, StringConstraints

from experiments.results.audit import Topic
from experiments.results.captions import Family
from experiments.results.evidence import Evidence
from pipeline import options
from pipeline.errors import UserError
from reporting.blocks import CLASSIFIERS
from reporting.numbers import decimals

Says = Literal["holds", "fails", "unclear", "not_comparable"]
Leaning = Literal["better", "worse", "unclear"]
Balance = Literal["better", "partly_better", "both", "partly_worse", "worse", "unclear"]


@dataclass(frozen=True)
class Several:
    """Words that a sentence lists, with the same text before `each`: ``the a, the b and the c``."""

    words: tuple["Word", ...]
    last: str = "and"
    each: str = ""


Word = str | tuple[str, ...] | Several


def classes_of(stage: str) -> str:
    """Return the group of what is claimed of a classifier's classes."""
    return f"classes of {stage}"


def measures_of(family: Family) -> str:
    """Return the group of what is claimed of a family of measures."""
    return f"{family} of captions"


def of_the_brief(topic: Topic) -> str:
    """Return the group of what the brief claims, whose evidence stands beside it in the audit's tables."""
    return f"the brief on {topic}"


class Wordings(RootModel[dict[str, dict[str, Annotated[str, StringConstraints(min_length=1)]]]]):
    """Every wording, a Jinja source of Markdown, by the name of its claim and by its outcome."""


@cache
def wordings() -> Mapping[str, Mapping[str, str]]:
    """Return every wording by claim and outcome; the file is read once.

    Raises:
        UserError: if it cannot be read, or holds anything but texts by claim and outcome.
    """
    return options.read(Path(__file__).with_name("wordings.toml"), Wordings).root


def headings() -> Mapping[str, Word]:
    """Return the groups whose claims have a row in the table of evidence, each with its heading.

    Raises:
        UserError: if the file has no headings.
    """
    if "headings" not in wordings():
        raise UserError("reporting/wordings.toml: the table [headings] is missing; put it back.")
    return {
        **wordings()["headings"],
        **{classes_of(stage): ("text", f"{stage}.model") for stage in CLASSIFIERS},
    }


@dataclass(frozen=True)
class Claim:
    """One sentence of the report, as data.

    `says` is what the evidence says of it, `good` whether that is good news, None where it is neither or
    cannot be told. Its wordings stand under `wording`, by default its `id`; `outcome` names the one that it
    takes, by default that for what it `says`. A wording sees `words`: text as it is, numbers and names as a
    method of `Numbers` with its arguments, such as ``("percent", "vit.top1")``, and lists of these. It also
    sees `n`, the `Numbers`, and what joins it to the sentence before (`Sentences.told`). `found` is another
    such source, for a table that shows what was found beside the sentence. `tests` are keys of
    `Evidence.tests`; `facts` are paths in the results of what a claim rests on besides.

    Raises:
        UserError: if there is no such group.
    """

    id: str
    group: str
    says: Says
    wording: str = ""
    outcome: str = ""
    good: bool | None = None
    found: str = ""
    words: Mapping[str, Word] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a group that is none."""
        require_groups(self.group)

    @property
    def chosen(self) -> tuple[str, str]:
        """The wording that the evidence chooses, as the name of its claim and its outcome in the file."""
        return self.wording or self.id, self.outcome or self.says

    @property
    def source(self) -> str:
        """The text of that wording.

        Raises:
            UserError: if there is none, where the evidence came out as it was thought that it cannot.
        """
        name, outcome = self.chosen
        if outcome not in wordings().get(name, {}):
            raise UserError(
                f"the claim {self.id} has no wording for what it says: add {name}.{outcome} to "
                "reporting/wordings.toml"
            )
        return wordings()[name][outcome]

    @property
    def is_untold(self) -> bool:
        """Whether its wording is a clause of what cannot be told, which shares a sentence with others."""
        return self.source.startswith("whether ")

    @property
    def anchor(self) -> str:
        """The identifier of the claim's row in the table of evidence."""
        return f"claim-{self.id.replace('_', '-')}"

    def stages(self, evidence: Evidence) -> tuple[str, ...]:
        """Return the results that the claim rests on."""
        tested = [stage for key in self.tests for stage in evidence.tests[key].stages]
        read = [path.partition(".")[0] for path in self.facts]
        return tuple(dict.fromkeys((*tested, *read)))


def require_groups(*names: str) -> None:
    """Require that claims can be in groups of these names.

    Raises:
        UserError: if one is no such group.
    """
    groups = sorted({*headings(), *map(of_the_brief, get_args(Topic))})
    for name in names:
        if name not in groups:
            raise UserError(
                f"{name!r} is no group of claims with a heading in reporting/wordings.toml; the groups are "
                f"{', '.join(groups)}"
            )


def sides(evidence: Evidence, test: str) -> dict[str, Word]:
    """Return the two figures that a test compares as words, `one` and `other`.

    They are rounded to what the interval of their difference supports, but not to the same where the test
    found them apart.
    """
    tested = evidence.tests[test]
    half = (tested.difference.high - tested.difference.low) / 2
    digits = decimals(tested.unit, half, tested.one, tested.other, apart=tested.verdict != "unclear")
    how = f"{tested.unit}:{digits}"
    return {side: ("measured", f"evidence.tests.{test}.{side}", how) for side in ("one", "other")}


def by_test(
    evidence: Evidence,
    test: str,
    *besides: str,
    lower: bool = False,
    good: bool | None = None,
    **fields: Any,
) -> Claim:
    """Return the claim that the first figure of a test is higher, or `lower`, than the other.

    `good` tells whether it is good news if it holds. Both figures are among its words, as `sides`. The
    `fields` are those of `Claim`; further tests that it rests on stand `besides`. Of a test that is not there
    yet nothing is known: `claims_of` leaves the claim out.
    """
    if test not in evidence.tests:
        return Claim(says="unclear", tests=(test, *besides), **fields)
    verdict = evidence.tests[test].verdict
    fields["words"] = {**sides(evidence, test), **fields.get("words", {})}
    if verdict == "unclear":
        return Claim(says="unclear", tests=(test, *besides), **fields)
    holds = verdict == ("lower" if lower else "higher")
    news = None if good is None else good == holds
    return Claim(says=by_fact(holds), good=news, tests=(test, *besides), **fields)


def together(
    found: Mapping[str, Leaning],
    names: Mapping[str, Word] | None = None,
    last: str = "and",
    each: str = "",
    **fields: Any,
) -> Claim:
    """Return one claim of several tests, of which each was `found` to be better, worse or neither.

    Its outcome says how they came out together: ``better`` (all of them), ``partly_better`` (of the others
    nothing can be told), ``both``, ``partly_worse``, ``worse`` or ``unclear``. `names` are what to call the
    tests: those that were found to be of a kind are listed (`last` and `each` as in `Several`) as the words
    `better`, `worse` and `unclear`.
    """
    lists: dict[str, Word] = {
        kind: Several(tuple((names or {}).get(test, test) for test in tests), last, each)
        for kind, tests in kinds(found).items()
    }
    fields["words"] = {**lists, **fields.get("words", {})}
    outcome = balance(found)
    news = {"better": True, "worse": False}.get(outcome.removeprefix("partly_"))
    says = "unclear" if news is None else by_fact(news)
    return Claim(says=says, outcome=outcome, good=news, tests=tuple(found), **fields)


def kinds(found: Mapping[str, Leaning]) -> dict[Leaning, list[str]]:
    """Return what was found to be better, what worse, and what cannot be told."""
    return {kind: [name for name in found if found[name] == kind] for kind in get_args(Leaning)}


def balance(found: Mapping[str, Leaning]) -> Balance:
    """Tell in one word how several things came out together, as `together` names it."""
    better, worse, unclear = kinds(found).values()
    if better and worse:
        return "both"
    if better:
        return "partly_better" if unclear else "better"
    if worse:
        return "partly_worse" if unclear else "worse"
    return "unclear"


def leaning(evidence: Evidence, test: str, better: str) -> Leaning:
    """Tell whether a test found for the better, which `better` says is ``higher`` or ``lower``."""
    verdict = evidence.tests[test].verdict
    return "unclear" if verdict == "unclear" else "better" if verdict == better else "worse"


def by_fact(holds: bool) -> Says:
    """Return what a fact says, which needs no test."""
    return "holds" if holds else "fails"
