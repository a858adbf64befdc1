from itertools import chain
from typing import Any

import pytest

from reporting import caption_facts as facts
from tests.support.results import TARGETS, ablations, comparison, judged, judged_by_halves, lora


def test_every_measure_has_one_family() -> None:
    measures = comparison().measures
    families = facts.by_family(measures)
    assert [name for name, _ in families] == ["agreement", "grounding", "style", "health"]
    assert sorted(chain(*(positions for _, positions in families))) == list(range(len(measures)))


def examples(*altered: tuple[str, str, dict[str, bool]]) -> Any:
    """A comparison of photos with the caption before, the one after and how that is judged."""
    found = comparison(captions=[("cat", "a", "b", before, after) for before, after, _ in altered])
    records = tuple(
        record.model_copy(
            update={"judged_before": judged(1, True), "judged_after": judged(1, True).model_copy(update=how)}
        )
        for record, (_, _, how) in zip(found.records, altered, strict=True)
    )
    return found.model_copy(update={"records": records, "examples": tuple(range(len(records)))})


def test_the_quoted_examples_are_the_middle_one_that_is_right_and_one_that_is_newly_wrong() -> None:
    right, wrong = ("a cat", "a red cat", {}), ("a cat", "a dog", {"wrong_class": True})
    coloured = ("a cat", "a blue cat", {"wrong_colour": True})
    assert facts.quoted(examples(right, right, right, wrong)) == (1, 3)
    assert facts.quoted(examples(wrong, coloured, right)) == (2, 0)
    assert facts.quoted(examples(right, right, coloured)) == (1, 2)
    assert facts.quoted(examples(right, right)) == (1, None)
    assert facts.quoted(examples(wrong)) == (0, None)


def test_no_caption_is_quoted_that_is_empty_the_same_or_too_long_for_a_sentence() -> None:
    for before, after in (("a cat", "a cat"), ("a  cat", "a cat"), ("", "a cat"), ("a cat", "cat " * 99)):
        assert facts.quoted(examples((before, after, {}))) == (None, None)


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
    assert lora(targets=TARGETS[::-1]).position_among(variants) == 4
    assert lora(r=4).position_among(variants) == 2
    assert lora(targets=TARGETS[:4]).position_among(variants) == 5
    assert lora(r=5).position_among(variants) is None
    assert (facts.full_of(variants), facts.full_of(variants[:6])) == (6, None)


def test_a_series_of_ranks_leaves_other_targets_out_and_rises() -> None:
    variants = ablations().variants[::-1]
    series = facts.rank_series(variants, 2)
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
    evidence = judged_by_halves(comparison(), ablations(**altered))
    series = facts.rank_series(variants, 4)
    assert variants[facts.enough_rank(variants, series, evidence)].rank == expected


def test_costs_within_a_tenth_are_about_the_same() -> None:
    assert facts.cost(100, 109) == "unclear"
    assert facts.cost(100, 120) == "less"
    assert facts.cost(120, 100) == "more"
    assert facts.cost(0, 0) == "unclear"
