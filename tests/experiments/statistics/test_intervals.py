import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from experiments.statistics.intervals import newcombe, wilson
from experiments.statistics.significance import fisher


def test_wilson_agrees_with_a_published_example() -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263 gives 0.2553 to 0.3662."""
    estimate = wilson(81, 263)
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (0.2553, 0.3662)
    assert estimate.value == 81 / 263
    assert (estimate.n, estimate.method) == (263, "wilson")


@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_value_and_stays_within_0_and_1(case: tuple[int, int]) -> None:
    estimate = wilson(*case)
    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1


@pytest.mark.parametrize(("successes", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        wilson(successes, n)


@pytest.mark.parametrize("p", [0.1, 0.6, 0.9, 0.97])
def test_of_10_000_images_the_interval_holds_the_truth_in_95_percent_of_cases(p: float) -> None:
    """By enumeration, hence exact: the chance of every count within 8 standard errors of the expected."""
    n = 10_000
    reach = int(8 * (n * p * (1 - p)) ** 0.5)
    counts = np.arange(int(n * p) - reach, min(int(n * p) + reach, n) + 1)
    estimates = [wilson(int(count), n) for count in counts]
    held = np.array([estimate.low <= p <= estimate.high for estimate in estimates])
    chances = binom.pmf(counts, n, p)
    assert chances.sum() == pytest.approx(1)
    assert 0.93 <= float(np.sum(chances * held)) <= 0.97


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090),
     ((10, 10), (0, 20), 0.6791, 1.0), ((10, 10), (0, 10), 0.6075, 1.0)],
)  # fmt: skip
def test_the_interval_is_that_of_newcombes_table(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe (1998), table II, method 10, examples (a), (b), (g) and (h)."""
    estimate = newcombe(one, other)
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


trials = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(trials, trials)
def test_either_side_may_come_first(one: tuple[int, int], other: tuple[int, int]) -> None:
    there, back = newcombe(one, other), newcombe(other, one)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
    assert there.low <= there.value <= there.high
    assert fisher(one, other) == pytest.approx(fisher(other, one))
    assert 0 < fisher(one, other) <= 1
