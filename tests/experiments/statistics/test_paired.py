import numpy as np
import pytest

from experiments.statistics.paired import bootstrapped, difference, jackknifed


def test_a_paired_difference_of_means_is_estimated_with_an_interval_that_holds_it() -> None:
    random = np.random.default_rng(0)
    before = random.normal(0, 5, 200)
    after = before + random.normal(1, 0.5, 200)
    measure = difference(lambda at: before[at].mean(), lambda at: after[at].mean())
    estimate = bootstrapped(measure, 200, 500, random)
    assert estimate.value == pytest.approx(np.mean(after - before))
    assert estimate.low < estimate.value < estimate.high
    assert estimate.high - estimate.low < 0.2, "pairs must cancel the large spread between images"


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = np.arange(30.0)
    first, again = (
        bootstrapped(lambda at: scores[at].mean(), 30, 100, np.random.default_rng(7)) for _ in range(2)
    )
    assert first == again


def test_a_measure_that_counts_has_bounds_between_whole_numbers() -> None:
    scores = np.arange(40)
    whole = bootstrapped(lambda at: int(scores[at].sum()), 40, 99, np.random.default_rng(0))
    same = bootstrapped(lambda at: float(scores[at].sum()), 40, 99, np.random.default_rng(0))
    assert whole == same


def test_images_that_all_agree_have_an_interval_without_width() -> None:
    estimate = bootstrapped(lambda at: float(np.ones(20)[at].mean()), 20, 50, np.random.default_rng(0))
    assert (estimate.low, estimate.value, estimate.high) == (1, 1, 1)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        scores = random.normal(0, 1, 60)
        estimate = bootstrapped(lambda at, scores=scores: scores[at].mean(), 60, 200, random)
        held += estimate.low <= 0 <= estimate.high
    assert 0.88 <= held / 200 <= 0.99


def test_the_jackknife_of_a_mean_is_its_normal_interval() -> None:
    scores = np.random.default_rng(2).normal(0, 1, 50)
    estimate = jackknifed(lambda at: scores[at].mean(), 50)
    assert estimate.high - estimate.value == pytest.approx(1.959964 * scores.std(ddof=1) / 50**0.5, rel=1e-5)
