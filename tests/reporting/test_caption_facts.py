from itertools import chain
from typing import Any

import pytest

from experiments.results.captions import Measured
from experiments.results.estimate import Estimate
from reporting import caption_facts as facts
from tests.reporting.conftest import TARGETS, ablations, comparison, estimate, judged, lora


def between(low: float, high: float) -> Estimate:
    return Estimate(value=(low + high) / 2, n=60, low=low, high=high, method="percentile bootstrap")


def measure(key: str, before: float, after: float, half: float) -> Measured:
    measures = comparison(moved={key: (before, after, half)}).measures
    return next(found for found in measures if found.key == key)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.2, "rose"), (-0.2, -0.1, "fell"), (-0.1, 0.1, "unclear"), (0.0, 0.2, "unclear"),
     (-1, 0, "unclear"), (0, 0, "unclear")],
)  # fmt: skip
def test_a_difference_has_a_direction_only_if_its_interval_excludes_zero(
    low: float, high: float, expected: str
) -> None:
    assert facts.direction(between(low, high)) == expected


def test_better_is_up_or_down_as_the_measure_has_it() -> None:
    assert facts.verdict(measure("chrf", 20, 30, 2)) == "better"
    assert facts.verdict(measure("chrf", 30, 20, 2)) == "worse"
    assert facts.verdict(measure("distance", 0.5, 0.3, 0.1)) == "better"
    assert facts.verdict(measure("distance", 0.3, 0.5, 0.1)) == "worse"
    assert facts.verdict(measure("distance", 0.3, 0.5, 0.3)) == "unclear"
    assert facts.verdict(measure("length", 6, 12, 1)) == "changed"
    assert facts.verdict(measure("length", 6, 12, 7)) == "unclear"


def test_every_measure_has_one_verdict_and_one_family() -> None:
    measures = comparison().measures
    verdicts = [facts.with_verdict(measures, v) for v in ("better", "worse", "changed", "unclear")]
    assert sorted(chain(*verdicts)) == list(range(len(measures)))
    families = facts.by_family(measures)
    assert [name for name, _ in families] == ["agreement", "grounding", "style", "health"]
    assert sorted(chain(*(positions for _, positions in families))) == list(range(len(measures)))
    grounding = facts.with_verdict(measures, "worse", ["grounding"])
    assert [measures[position].key for position in grounding] == ["wrong_colour"]


def test_a_measure_that_is_not_there_has_no_position() -> None:
    assert facts.position_of(comparison(classes=False).measures, "right_class") is None
    assert facts.position_of(comparison().measures, "bleu") == 0


def test_faults_are_what_counts_against_a_caption_and_nothing_else() -> None:
    assert facts.faults(judged(1, True)) == []
    assert facts.faults(judged(1, None)) == []
    assert facts.faults(judged(1, False)) == ["wrong_class"]
    unnamed = judged(1, False).model_copy(update={"wrong_class": False})
    assert facts.faults(unnamed) == ["no_class"]
    assert facts.faults(judged(1, True, rambles=True, cut_off=True)) == ["cut_off", "rambles"]
    assert facts.faults(judged(1, True, right_colour=False)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a cat", "a cat", [("a cat", False)]),
        ("a cat", "a grey cat", [("a", False), ("grey", True), ("cat", False)]),
        ("a cat", "two dogs run", [("two dogs run", True)]),
        ("a cat on a rug", "a cat", [("a cat", False)]),
        ("", "a cat", [("a cat", True)]),
        ("a cat", "", []),
        ("a cat", "cat a", [("cat", True), ("a", False)]),
    ],
)
def test_words_are_new_where_the_caption_before_did_not_have_them(
    before: str, after: str, expected: list[tuple[str, bool]]
) -> None:
    assert facts.pieces(before, after) == expected


def test_the_pieces_of_a_long_caption_of_common_words_are_still_exact() -> None:
    """Difflib would set frequent words of long texts aside."""
    before = "the cat " * 200
    assert facts.pieces(before, before + "sat") == [(before.strip(), False), ("sat", True)]


def test_the_report_s_own_adapter_is_the_one_with_its_rank_and_its_targets_in_any_order() -> None:
    variants = ablations().variants
    assert facts.main_of(variants, lora(targets=TARGETS[::-1])) == 4
    assert facts.main_of(variants, lora(r=4)) == 2
    assert facts.main_of(variants, lora(targets=TARGETS[:4])) == 5
    assert facts.main_of(variants, lora(r=5)) is None
    assert facts.main_of(variants, None) == 4
    assert facts.main_of(variants[:1], None) is None
    assert (facts.base_of(variants), facts.full_of(variants), facts.full_of(variants[:6])) == (0, 6, None)


def test_a_series_of_ranks_leaves_other_targets_out_and_rises() -> None:
    variants = ablations().variants[::-1]
    series = facts.rank_series(variants, facts.main_of(variants, None) or 0)
    assert [variants[position].rank for position in series] == [1, 4, 8, 32]
    assert [variants[at].key for at in facts.fewer_targets(variants, series[-1])] == ["attention"]


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ((0.30, 0.30, 0.30, 0.30), 1),
        ((0.50, 0.30, 0.30, 0.30), 4),
        ((0.60, 0.50, 0.40, 0.30), 32),
        ((0.30, 0.50, 0.30, 0.30), 8),
    ],
)
def test_rank_is_enough_from_where_on_no_higher_rank_shows(
    distances: tuple[float, ...], expected: int
) -> None:
    keys = ("r1", "r4", "r8", "r32")
    altered: dict[str, Any] = {key: (distance, 0.8) for key, distance in zip(keys, distances, strict=True)}
    variants = ablations(**altered).variants
    series = facts.rank_series(variants, 4)
    assert variants[facts.enough_rank(variants, series)].rank == expected


def test_estimates_are_told_apart_only_if_their_intervals_do_not_overlap() -> None:
    assert facts.compare(estimate(0.5, 0.1), estimate(0.8, 0.1)) == "less"
    assert facts.compare(estimate(0.8, 0.1), estimate(0.5, 0.1)) == "more"
    assert facts.compare(between(0.4, 0.6), between(0.6, 0.8)) == "unclear"
    assert facts.compare(estimate(0.5, 0), estimate(0.5, 0)) == "unclear"


def test_costs_within_a_twentieth_are_about_the_same() -> None:
    assert facts.cost(100, 104) == "unclear"
    assert facts.cost(100, 110) == "less"
    assert facts.cost(110, 100) == "more"
    assert facts.cost(0, 0) == "unclear"


def test_variants_are_sorted_by_what_they_forgot() -> None:
    variants = ablations(r1=(0.4, 0.95)).variants
    assert [variants[at].key for at in facts.with_change(variants, "rose")] == ["r1"]
    assert [variants[at].key for at in facts.with_change(variants, "unclear")] == ["r4"]
    assert [variants[at].key for at in facts.with_change(variants, "fell")] == [
        "r8",
        "r32",
        "attention",
        "full",
    ]
