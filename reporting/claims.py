"""Sentences that follow the results: a claim has a few wordings, and its evidence chooses one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from experiments.results.audit import Topic
from experiments.results.captions import Family
from experiments.results.evidence import Evidence, Tested
from reporting.blocks import CLASSIFIERS

Says = Literal["holds", "fails", "unclear", "not_comparable"]
Word = str | tuple[str, ...]


def classes_of(stage: str) -> str:
    """Return the group of what is claimed of a classifier's classes."""
    return f"classes of {stage}"


def measures_of(family: Family) -> str:
    """Return the group of what is claimed of a family of measures."""
    return f"{family} of captions"


def of_the_brief(topic: Topic) -> str:
    """Return the group of what the brief claims, whose evidence stands beside it in the audit's tables."""
    return f"the brief on {topic}"


HEADINGS: Mapping[str, Word] = {
    "broken": "Models not shown to be above chance",
    "sound": "Models above chance",
    "ranking": "Classifiers against each other",
    "prompts": "Zero-shot prompts",
    "published": "Published figures",
    "captions": "Captions before and after fine-tuning",
    measures_of("agreement"): "Agreement with the references, before and after",
    measures_of("grounding"): "What captions say of the photo, before and after",
    measures_of("style"): "How captions are worded, before and after",
    measures_of("health"): "Captions as sentences, before and after",
    "lora": "Low-rank adaptation",
    "adapter off": "The adapter switched off",
    "forgetting": "What tuning forgets",
    "against full": "The adapter beside full fine-tuning: it …",
    "rank": "Rank",
    "targets": "Targets",
    **{classes_of(stage): ("text", f"{stage}.model") for stage in CLASSIFIERS},
}
"""The groups whose evidence is on the page of provenance, each under its heading."""

GROUPS = frozenset({*HEADINGS, *map(of_the_brief, get_args(Topic))})
"""Every group that a claim can be in."""


@dataclass(frozen=True)
class Claim:
    """One sentence of the report, as data.

    `holds`, `fails`, `unclear` and `not_comparable` are its wordings, Jinja sources of Markdown; one is None
    where the evidence cannot come out so. They see `words`: text as it is, and numbers and names as a method
    of `Numbers` with its arguments, such as ``("percent", "vit.top1")``. They also see `n`, the `Numbers`,
    and ``shown()``, which prints the claim's first test, and ``link(text)``; both lead to the evidence.
    `found` is another such source, for a table that shows what was found beside the sentence. `tests` are
    keys of `Evidence.tests`; `facts` are paths in the results of what a claim rests on besides.

    Raises:
        ValueError: if there is no such group.
    """

    id: str
    group: str
    says: Says
    holds: str | None
    fails: str | None
    unclear: str | None = None
    not_comparable: str | None = None
    found: str = ""
    words: Mapping[str, Word] = field(default_factory=dict)
    tests: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a group that is none."""
        require_groups(self.group)

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


def require_groups(*names: str) -> None:
    """Require that claims can be in groups of these names.

    Raises:
        ValueError: if one is no such group.
    """
    for name in names:
        if name not in GROUPS:
            raise ValueError(f"{name!r} is no group of claims; the groups are {', '.join(sorted(GROUPS))}")


def sides(key: str, how: str, *unit: str) -> dict[str, Word]:
    """Return the two figures that a test compares as words, `one` and `other`, printed by `how` in a unit."""
    return {side: (how, f"evidence.tests.{key}.{side}", *unit) for side in ("one", "other")}


def by_test(test: Tested, *, lower: bool = False) -> Says:
    """Return what a test says of the claim that one figure is higher (or `lower`) than the other."""
    if test.verdict == "unclear":
        return "unclear"
    return by_fact(test.verdict == ("lower" if lower else "higher"))


def by_fact(holds: bool) -> Says:
    """Return what a fact says, which needs no test."""
    return "holds" if holds else "fails"
