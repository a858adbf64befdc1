"""The tests behind the report's claims: every comparison that a sentence rests on, made once."""

from typing import Literal

from experiments.results import key_of
from experiments.results.captions import Unit
from pipeline.frozen import Frozen
from pipeline.result import Estimate, Result

Verdict = Literal["higher", "lower", "unclear"]

NEXT_TO_NOTHING = 0.05
"""How little above chance the accuracy of a model is that knows next to nothing."""


class Tested(Frozen):
    """Whether one figure is higher or lower than another.

    `one` and `other` are the figures and `difference` estimates one - other, all in `unit` (shares lie
    in [0, 1]); `stages` names the results that they come from. Where both are shares of the same items,
    `only_one` and `only_other` count the items for which only one side is right. `p` is two-sided, by
    `test`, and not below what an exact paired test of as many photos can give; where the pair was picked out
    as an extreme, it is already multiplied by `chosen_among`, the number of pairs that might have been
    picked. `adjusted` is `p` after Holm's correction over the family, and `verdict` is "unclear" unless
    `adjusted` lies below the family's significance.
    """

    stages: tuple[str, ...]
    unit: Unit
    one: float
    other: float
    difference: Estimate
    only_one: int | None
    only_other: int | None
    test: str
    chosen_among: int
    p: float
    adjusted: float
    verdict: Verdict

    @property
    def reversed(self) -> Estimate:
        """The difference the other way round: other - one."""
        there = self.difference
        return there.model_copy(update={"value": -there.value, "low": -there.high, "high": -there.low})


class Evidence(Result):
    """Every test by key, as far as its results are there.

    They and the `absent` ones, of which some result is not there yet, are one family for Holm's correction:
    the family that the profile declares. An absent test counts with p = 1, so that a difference which is told
    stays told whatever is tested later.

    `broken` names the classifiers that are not above chance, where `chance` is what the most frequent
    class would score, None where nothing is classified. `resamples` is the number of bootstrap draws,
    `significance` the probability of any false claim in the family that is tolerated.
    """

    tests: dict[str, Tested]
    absent: tuple[str, ...]
    chance: float | None
    broken: tuple[str, ...]
    significance: float
    resamples: int

    @property
    def family(self) -> int:
        """How many tests are corrected for."""
        return len(self.tests) + len(self.absent)

    def too_few_images(self, stage: str) -> bool:
        """Tell whether a classifier that is not above chance may well be, had there been more test images.

        Its interval then reaches further above chance than a model that knows next to nothing would.
        """
        return stage in self.broken and self.tests[key_of.chance(stage)].difference.high > NEXT_TO_NOTHING

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        clear = sum(test.verdict != "unclear" for test in self.tests.values())
        return {"clear differences": clear / len(self.tests)} if self.tests else {}
