import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from experiments.statistics.significance import fisher, holm, mcnemar

counts = st.integers(0, 2_000)
families = st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=30)


def test_mcnemar_agrees_with_a_published_example() -> None:
    """Fay, vignette of the R package exact2x2: the table 21, 9, 2, 12 gives 0.06543."""
    assert round(mcnemar(9, 2), 5) == 0.06543


def test_mcnemar_agrees_with_coins_counted_by_hand() -> None:
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 5) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(2, 8) == pytest.approx(2 * (1 + 10 + 45) / 2**10)


def test_classifiers_that_err_alike_do_not_differ() -> None:
    assert mcnemar(0, 0) == mcnemar(7, 7) == 1


@given(counts, counts)
def test_mcnemar_is_a_binomial_test_that_does_not_care_which_comes_first(one: int, other: int) -> None:
    p = mcnemar(one, other)
    assert 0 <= p <= 1
    assert p == pytest.approx(mcnemar(other, one), rel=1e-9)
    if one + other:
        assert p == pytest.approx(binomtest(min(one, other), one + other).pvalue, rel=1e-9)


@pytest.mark.parametrize("pair", [(-1, 3), (3, -1), (-2, 2)])
def test_negative_counts_are_refused(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(*pair)


def test_mcnemar_errs_in_at_most_5_percent_and_is_not_needlessly_timid() -> None:
    """By enumeration, hence exact: the chance of p <= 0.05 where the images fall like coins."""

    def errs(discordant: int) -> float:
        # Only the smaller half is asked: the other half gives the same.
        small = np.array([mcnemar(at, discordant - at) for at in range(discordant // 2 + 1)]) <= 0.05
        at = np.arange(len(small))
        return float(np.sum(binom.pmf(at, discordant, 0.5) * small * np.where(2 * at == discordant, 1, 2)))

    few = {discordant: errs(discordant) for discordant in range(1, 61)}
    assert max(few.values()) <= 0.05
    assert few[5] == 0, "five images cannot tell: 2 / 2**5 > 0.05"
    assert all(0.03 <= errs(discordant) <= 0.05 for discordant in (200, 201, 250, 333, 500, 750, 1_000))


def test_holm_agrees_with_an_example_worked_by_hand() -> None:
    """p 0.01, 0.04, 0.03, 0.005 times 3, 1, 2, 4; the 0.04 may not fall below what 0.03 became."""
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]


@given(families)
def test_holm_agrees_with_its_definition(p: dict[str, float]) -> None:
    """Of each: the largest, over those no larger, of their p times how many are left when they come up."""

    def definition(own: float) -> float:
        ranked = sorted(p.values())
        return min(1.0, max((len(p) - rank) * other for rank, other in enumerate(ranked) if other <= own))

    assert holm(p) == pytest.approx({name: definition(own) for name, own in p.items()})


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("nan")])
def test_what_is_no_p_value_is_refused_by_name(wrong: float) -> None:
    with pytest.raises(ValueError, match="second"):
        holm({"first": 0.5, "second": wrong})


@pytest.mark.parametrize("shared", [0.0, 0.5], ids=["independent", "correlated"])
def test_under_holm_at_most_5_percent_of_families_claim_anything_where_nothing_differs(shared: float) -> None:
    """10,000 families of 20 tests of normal figures: the standard error of 5 % is 0.22 %."""
    random = np.random.default_rng(4)
    trials, tests = 10_000, 20
    common, own = random.normal(size=(trials, 1)), random.normal(size=(trials, tests))
    families = 2 * norm.sf(np.abs(np.sqrt(shared) * common + np.sqrt(1 - shared) * own))
    unadjusted = float(np.mean(families.min(axis=1) <= 0.05))
    names = [str(at) for at in range(tests)]
    wrong = sum(min(holm(dict(zip(names, own, strict=True))).values()) <= 0.05 for own in families) / trials
    assert wrong <= 0.05 + 3 * 0.0022
    assert unadjusted > 0.3, "else there is nothing to correct"


def test_the_lady_tasting_tea_does_not_convince() -> None:
    """Fisher's own example: three of four cups of each kind told right has a two-sided p of 34 / 70."""
    assert fisher((3, 4), (1, 4)) == pytest.approx(34 / 70)
    assert fisher((4, 4), (0, 4)) == pytest.approx(2 / 70)
