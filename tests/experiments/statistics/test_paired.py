import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng as rng
from scipy.stats import norm

from experiments.statistics.paired import (
    Measure,
    bootstrapped,
    bootstrapped_difference,
    difference,
    jackknifed,
    jackknifed_difference,
    mean_difference,
)

LSAT = np.array([576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594])
GPA = np.array([339, 330, 281, 303, 344, 307, 300, 343, 336, 313, 312, 274, 276, 288, 296]) / 100
"""Fifteen law schools: Efron & Tibshirani (1993), An Introduction to the Bootstrap, table 3.1."""


def mean(values: np.ndarray) -> Measure:
    return lambda at: float(values[at].mean())


def correlation(at: np.ndarray) -> float:
    return float(np.corrcoef(LSAT[at], GPA[at])[0, 1])


def test_the_interval_is_the_formula_of_the_book():
    """Efron & Tibshirani (1993), equations 14.9, 14.10, 14.14 and 14.15, for the law schools' correlation."""
    estimate = bootstrapped(correlation, 15, 2_000, rng(5))
    drawn = [correlation(at) for at in rng(5).integers(0, 15, (2_000, 15))]
    without = np.array([correlation(np.delete(np.arange(15), at)) for at in range(15)])
    off = without.mean() - without
    bias = norm.ppf(np.mean(np.array(drawn) < estimate.value))
    acceleration = np.sum(off**3) / (6 * np.sum(off**2) ** 1.5)
    shares = [norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in norm.ppf([0.025, 0.975])]
    assert round(estimate.value, 3) == 0.776, "the book's table 3.1"
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(drawn, shares)), abs=1e-9)
    assert estimate.method == "BCa bootstrap"


def test_a_measure_that_counts_has_bounds_between_whole_numbers():
    scores = np.arange(40)
    whole = bootstrapped(lambda at: int(scores[at].sum()), 40, 99, rng(0))
    same = bootstrapped(lambda at: float(scores[at].sum()), 40, 99, rng(0))
    assert whole == same


@pytest.mark.parametrize("same", [0.0, 1.0, 0.1], ids=["none", "all", "a figure that sums round"])
def test_images_that_all_agree_have_an_interval_without_width(same: float):
    agree = np.full(20, same)
    for estimate in (
        bootstrapped(mean(agree), 20, 50, rng(0)),
        bootstrapped(difference(mean(agree), mean(3 * agree)), 20, 50, rng(0)),
        mean_difference(agree, 3 * agree, 50, rng(0)),
        jackknifed(mean(agree), 20),
    ):
        assert estimate.low == pytest.approx(estimate.value, abs=1e-12)
        assert estimate.high == pytest.approx(estimate.value, abs=1e-12)
        assert estimate.method in {"percentile bootstrap", "jackknife"}


def test_where_leaving_out_one_image_changes_nothing_the_percentiles_are_taken():
    twice = np.repeat(np.arange(10), 2)
    estimate = bootstrapped(lambda at: len(set(twice[at])), 20, 200, rng(0))
    assert estimate.method == "percentile bootstrap"
    assert estimate.low < estimate.high


def test_where_all_resamples_lie_on_one_side_the_percentiles_are_taken():
    words = np.minimum(np.arange(60), 50)
    estimate = bootstrapped(lambda at: len(set(words[at].tolist())), 60, 200, rng(0))
    assert estimate.method == "percentile bootstrap"
    assert estimate.high < estimate.value, "no bootstrap holds a number of different words"


def test_sums_that_round_differently_are_equal():
    """Sums of tenths differ by rounding from those of the same tenths in another order, counts do not."""
    changes = np.array([1.0, 0, 0, 1, -1, 0, 0, 0, 1, 0])
    tenths = bootstrapped(lambda at: float(np.sum(changes[at] * 0.1)), 10, 999, rng(2))
    counts = bootstrapped(lambda at: float(np.sum(changes[at])), 10, 999, rng(2))
    assert (tenths.low, tenths.high) == pytest.approx((counts.low / 10, counts.high / 10))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_the_fast_interval_of_a_mean_is_that_of_the_slow_one_and_holds_it(pairs: list[tuple[bool, bool]]):
    first, second = np.array(pairs).T
    fast = mean_difference(first, second, 99, rng(1))
    changes = second.astype(float) - first
    assert fast == bootstrapped(mean(changes), len(changes), 99, rng(1))
    assert -1 <= fast.low <= fast.value <= fast.high <= 1
    assert fast.n == len(pairs)


def test_ten_thousand_images_take_less_than_100_mb_and_give_the_normal_interval():
    random = rng(8)
    first = random.random(10_000) < 0.6
    second = np.where(random.random(10_000) < 0.8, first, random.random(10_000) < 0.7)
    tracemalloc.start()
    estimate = mean_difference(first, second, 5_000, random)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6
    reach = 1.96 * np.std(second.astype(float) - first) / 100
    assert estimate.value == pytest.approx(second.mean() - first.mean())
    assert estimate.high - estimate.value == pytest.approx(reach, rel=0.1)
    assert estimate.value - estimate.low == pytest.approx(reach, rel=0.1)


def test_figures_that_do_not_pair_and_one_image_are_refused():
    one = mean(np.ones(1))
    for estimate in (
        lambda: mean_difference(np.zeros(3), np.zeros(4), 99, rng(0)),
        lambda: mean_difference(np.zeros((2, 2)), np.zeros((2, 2)), 99, rng(0)),
        lambda: mean_difference(np.zeros(1), np.ones(1), 99, rng(0)),
        lambda: bootstrapped(one, 1, 99, rng(0)),
        lambda: bootstrapped_difference(one, one, 1, 99, rng(0)),
        lambda: jackknifed(one, 1),
        lambda: jackknifed_difference(one, one, 1),
    ):
        with pytest.raises(ValueError, match=r"shapes|one image"):
            estimate()


def test_the_jackknife_agrees_with_a_published_example():
    """Exercise 7.1 of Rizzo (2008), Statistical Computing with R, whose answer is 0.1425186."""
    estimate = jackknifed(correlation, 15)
    for reach in (estimate.high - estimate.value, estimate.value - estimate.low):
        assert reach / norm.ppf(0.975) == pytest.approx(0.1425186, abs=5e-8)


def test_a_difference_has_the_interval_of_its_measure_and_a_p_value_from_the_same_resamples():
    random = rng(3)
    before, change = random.normal(0, 5, 40), random.normal(0.3, 1, 40)
    after = before + change
    found = bootstrapped_difference(mean(before), mean(after), 40, 999, rng(9))
    measure = difference(mean(before), mean(after))
    assert found.estimate == bootstrapped(measure, 40, 999, rng(9))
    assert found.estimate.value == pytest.approx(change.mean())
    drawn = change[rng(9).integers(0, 40, (999, 40))].mean(axis=1)
    assert found.p == pytest.approx(2 * (min(np.sum(drawn <= 0), np.sum(drawn >= 0)) + 1) / 1_000)
    assert 0.001 < found.p < 0.5, "else the example says little"


def test_a_difference_that_every_resample_shows_has_the_smallest_p_there_is_and_never_0():
    scores = np.arange(30.0)
    found = bootstrapped_difference(mean(scores), mean(scores + 5), 30, 999, rng(0))
    assert found.p == pytest.approx(2 / 1_000)


def test_what_does_not_differ_has_p_1():
    scores = np.arange(30.0)
    drawn = bootstrapped_difference(mean(scores), mean(scores), 30, 99, rng(0))
    for found in (drawn, jackknifed_difference(mean(scores), mean(scores), 30)):
        assert found.p == 1
        assert (found.estimate.low, found.estimate.value, found.estimate.high) == (0, 0, 0)


def test_turning_a_difference_round_changes_its_sign_and_not_its_p():
    random = rng(4)
    one, other = mean(random.normal(0, 1, 40)), mean(random.normal(0.4, 1, 40))
    there = bootstrapped_difference(one, other, 40, 499, rng(0))
    back = bootstrapped_difference(other, one, 40, 499, rng(0))
    assert there.p == back.p
    turned = (-back.estimate.high, -back.estimate.low)
    assert (there.estimate.low, there.estimate.high) == pytest.approx(turned)
    there, back = jackknifed_difference(one, other, 40), jackknifed_difference(other, one, 40)
    assert there.p == pytest.approx(back.p)


def test_the_jackknifes_p_value_is_that_of_z():
    changes = np.array([1.0, 2, 3, 4, 5])
    found = jackknifed_difference(mean(np.zeros(5)), mean(changes), 5)
    assert found.estimate == jackknifed(mean(changes), 5)
    assert found.p == pytest.approx(2 * norm.sf(3 / (2.5 / 5) ** 0.5))


@pytest.mark.parametrize("change", [1.0, 0.1])
def test_a_difference_without_spread_is_no_evidence_to_the_jackknife(change: float):
    scores = np.arange(20) * 0.1
    found = jackknifed_difference(mean(scores), lambda at: mean(scores)(at) + change, 20)
    assert found.p == 1
    assert found.estimate.value == pytest.approx(change)
    assert found.estimate.low == found.estimate.high


WORLDS: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], float]] = {
    "right or wrong": (lambda random, shape: random.choice([-1.0, 0, 1], shape, p=[0.08, 0.7, 0.22]), 0.14),
    "skewed": (lambda random, shape: random.exponential(1, shape) - 0.5, 0.5),
    "few changes": (lambda random, shape: random.choice([-1.0, 0, 1], shape, p=[0.01, 0.94, 0.05]), 0.04),
    "heavy tail": (lambda random, shape: random.lognormal(0, 1, shape) - 1, np.exp(0.5) - 1),
}
"""How one image's figure changes, and by how much on average. First two usual worlds, then two hard ones:
a change in 6 % of images, and changes of skewness 6."""


@pytest.mark.parametrize(
    ("world", "n", "between"),
    [
        ("right or wrong", 200, (0.93, 0.97)),
        ("skewed", 200, (0.93, 0.97)),
        ("right or wrong", 60, (0.91, 0.97)),
        ("skewed", 60, (0.91, 0.97)),
        # A known limit of every bootstrap, written down here so that nobody trusts it further.
        ("few changes", 60, (0.88, 0.95)),
        ("heavy tail", 60, (0.88, 0.95)),
        ("heavy tail", 200, (0.88, 0.95)),
    ],
)
def test_the_interval_holds_the_truth_as_often_as_it_says(world: str, n: int, between: tuple[float, float]):
    """1,000 trials: the standard error is 0.7 % near 95 %."""
    draw, truth = WORLDS[world]
    random = rng(11)
    found = [mean_difference(np.zeros(n), own, 1_000, random) for own in draw(random, (1_000, n))]
    # A bound that reaches the truth may round beside it.
    held = np.mean([one.low - 1e-12 <= truth <= one.high + 1e-12 for one in found])
    assert between[0] <= held <= between[1]


@pytest.mark.parametrize("changing", [0.3, 0.06])
def test_without_a_difference_the_p_value_of_60_images_is_seldom_small(changing: float):
    """500 trials: the standard error of 5 % is 1 %."""
    random = rng(12)
    small = [
        bootstrapped_difference(lambda at: 0.0, mean(changes), 60, 200, random).p <= 0.05
        for changes in random.choice([-1.0, 0, 1], (500, 60), p=[changing / 2, 1 - changing, changing / 2])
    ]
    assert np.mean(small) <= 0.05 + 3 * 0.01
