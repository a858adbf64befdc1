from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from experiments.evidence.classifiers import classifier_comparisons
from experiments.evidence.comparison import Comparison, Draws, paired_shares
from experiments.evidence.declared import declared, too_few_resamples
from experiments.evidence.evidence import evidence, family
from pipeline.errors import UserError
from pipeline.result import Estimate
from tests.support.contexts import SILENT
from tests.support.declared import declaring
from tests.support.imports import imported_at_once
from tests.support.refusals import refusal
from tests.support.report_worlds import World, results

DRAWS = Draws(seed=0, resamples=300)


@pytest.fixture(scope="module")
def usual() -> dict:
    return results(World())


def comparison(key: str, p: float, value: float = 1.0, chosen_among: int = 1) -> Comparison:
    return Comparison(
        key=key, stages=("a",), unit="points", one=value, other=0.0, test="made up", p=p,
        difference=Estimate(value=value, n=9, low=value - 1, high=value + 1, method="none"),
        chosen_among=chosen_among,
    )  # fmt: skip


def test_every_comparison_of_the_report_is_in_one_family(usual: dict) -> None:
    tests = usual["evidence"].tests
    pairs = {"zero_shot_vit", "zero_shot_cnn", "vit_cnn"}
    alone = {f"{stage}_{what}" for stage in ("zero_shot", "vit", "cnn")
             for what in ("chance", "hardest", "easiest", "confusion")}  # fmt: skip
    captions = {f"caption_{measure.key}" for measure in usual["captions"].measures}
    keys = [variant.key for variant in usual["variants"].variants]
    forgotten = {f"forgotten_{key}" for key in keys}
    distances = {f"distance_{key}" for key in keys if key != "rank_32"}
    assert set(tests) == {*pairs, *alone, "prompts_1", *captions, *forgotten, *distances, "held_out_full"}


def test_a_pair_of_classifiers_is_tested_on_the_images_that_only_one_has_right(usual: dict) -> None:
    labels = np.array(usual["data_sets"].labels)
    vit, cnn = (np.array(usual[stage].predictions) == labels for stage in ("vit", "cnn"))
    test = usual["evidence"].tests["vit_cnn"]
    assert (test.only_one, test.only_other) == (int((vit & ~cnn).sum()), int((cnn & ~vit).sum()))
    assert test.difference.value == pytest.approx(vit.mean() - cnn.mean())
    assert test.p == pytest.approx(binomtest(test.only_one, test.only_one + test.only_other).pvalue)
    assert test.difference.low < test.difference.value < test.difference.high < 0
    assert test.verdict == "lower"


def test_exchanging_two_classifiers_turns_the_verdict_round(usual: dict) -> None:
    there = usual["evidence"].tests["vit_cnn"]
    exchanged = usual | {"vit": usual["cnn"], "cnn": usual["vit"]}
    swapped = evidence(declaring(usual, 300), exchanged, SILENT).tests["vit_cnn"]
    assert (there.verdict, swapped.verdict) == ("lower", "higher")
    assert swapped.difference.value == -there.difference.value
    assert swapped.p == there.p


def test_a_classifier_scored_on_other_labels_is_refused_by_name(usual: dict) -> None:
    other = usual["vit"].model_copy(update={"labels_sha256": "0" * 64})
    with pytest.raises(UserError, match="vit was scored on other labels than those of data_sets: run"):
        list(classifier_comparisons({"vit": other}, usual["data_sets"], DRAWS))


def test_a_model_at_chance_is_broken_and_one_below_it_as_well(usual: dict) -> None:
    broken = results(World(vit=0.25, cnn=0.1, harder=1.0))["evidence"]
    assert broken.broken == ("vit", "cnn")
    assert broken.tests["vit_chance"].verdict == "unclear"
    assert broken.tests["cnn_chance"].verdict == "lower"
    assert usual["evidence"].broken == ()


def test_an_extreme_picked_from_many_needs_a_smaller_p() -> None:
    tests = family([comparison("picked", 0.004, chosen_among=10), comparison("set", 0.004)], 0.05)
    assert tests["picked"].p == pytest.approx(0.04)
    assert tests["set"].p == 0.004
    assert family([comparison("picked", 0.4, chosen_among=10)], 0.05)["picked"].p == 1


def test_holm_is_over_all_comparisons_whatever_they_are_of() -> None:
    """Holm's own procedure by hand: 0.01 * 4, 0.015 * 3, then 0.03 * 2 and, not below it, 0.04."""
    tests = family(map(comparison, "abcd", (0.015, 0.04, 0.01, 0.03)), 0.05)
    assert {key: round(test.adjusted, 6) for key, test in tests.items()} == {
        "a": 0.045, "b": 0.06, "c": 0.04, "d": 0.06,
    }  # fmt: skip
    assert [test.verdict for test in tests.values()] == ["higher", "unclear", "higher", "unclear"]


def without(values: dict, *stages: str) -> dict:
    """The results as a stage is given them whose optional inputs `stages` are missing."""
    return values | dict.fromkeys(stages)


def test_the_declared_tests_are_those_that_are_made_once_all_results_are_there(usual: dict) -> None:
    assert set(declared(declaring(usual, 300))) == set(usual["evidence"].tests)
    assert usual["evidence"].absent == ()
    with pytest.raises(ValueError, match=r"no profile declares these tests: .*vit_chance"):
        evidence(declaring({"data_sets": usual["data_sets"]}, 300), usual, SILENT)


def test_what_is_not_there_yet_is_absent_and_counted_and_the_rest_is_tested_alike(usual: dict) -> None:
    section, whole = declaring(usual, 300), evidence(declaring(usual, 300), usual, SILENT)
    for missing in (("vit",), ("generate", "variants"), ("zero_shot", "vit", "cnn")):
        found = evidence(section, without(usual, *missing), SILENT)
        assert found.family == len(found.tests) + len(found.absent) == len(whole.tests)
        assert (
            set(found.absent)
            == set(whole.tests) - set(found.tests)
            == {key for key, stages in declared(section).items() if set(stages) & set(missing)}
        )
        assert {key: test.p for key, test in found.tests.items()} == {
            key: whole.tests[key].p for key in found.tests
        }
    nothing = evidence(section, without(usual, *(set(usual) - {"data_sets"})), SILENT)
    assert (nothing.tests, nothing.chance, nothing.broken, nothing.headline()) == ({}, None, (), {})


def test_a_test_that_the_data_do_not_allow_is_absent_until_that_is_known_and_then_no_test() -> None:
    values = results(World(names=("yes", "no"), images=200, classes=False))
    section = declaring(values, 300)
    known, unknown = (evidence(section, without(values, *gone), SILENT) for gone in ((), ("cnn", "generate")))
    assert known.absent == ()
    assert not {"cnn_hardest", "caption_right_class"} & set(known.tests)
    assert {"cnn_hardest", "caption_right_class"} < set(unknown.absent)
    assert unknown.family > known.family


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(1, 90)), min_size=2, max_size=30), st.randoms())
def test_no_later_result_takes_back_what_was_told(tests: list[tuple[float, int]], random: Random) -> None:
    """Results arrive one by one in any order: what is higher or lower once is so ever after."""
    waiting = [comparison(f"{at}", p, (-1.0) ** at, c) for at, (p, c) in enumerate(tests)]
    random.shuffle(waiting)
    there, told = [], {}
    while waiting:
        there.append(waiting.pop())
        found = family(there, 0.05, [each.key for each in waiting])
        assert {key: found[key].verdict for key in told} == told
        told = {key: test.verdict for key, test in found.items() if test.verdict != "unclear"}
    assert {key: test.verdict for key, test in family(there, 0.05).items()} == {
        key: test.verdict for key, test in found.items()
    }


def test_too_few_resamples_for_a_bootstrap_to_find_anything_are_refused_with_the_number_that_can(
    usual: dict,
) -> None:
    """One p of a bootstrap, the smallest, among all tests: found with as many as named, else not."""
    least = 2 * len(usual["evidence"].tests) * 20
    few = declaring(usual, least - 1, exploratory=False)
    assert f"evidence.resamples is {least - 1}, too few" in refusal(evidence, few, usual, SILENT)
    assert f"set it to {least} or more" in refusal(evidence, few, usual, SILENT)
    for resamples, verdict in ((least, "higher"), (least - 2, "unclear")):
        others = {key for key in usual["evidence"].tests if key != "caption_chrf"}
        found = family([comparison("caption_chrf", 2 / (resamples + 1))], 0.05, others)
        assert found["caption_chrf"].verdict == verdict
    assert too_few_resamples(few.model_copy(update={"resamples": least})) is None
    assert too_few_resamples(few.model_copy(update={"exploratory": True})) is None
    assert too_few_resamples(few.model_copy(update={"captions": False, "resamples": 100})) is None


@given(st.floats(0, 1), st.floats(-5, 5))
def test_a_verdict_has_the_sign_of_the_difference_or_is_unclear(p: float, value: float) -> None:
    test = family([comparison("a", p, value)], 0.05)["a"]
    if p >= 0.05 or value == 0:
        assert test.verdict == "unclear"
    else:
        assert test.verdict == ("higher" if value > 0 else "lower")
    assert test.reversed.value == -test.difference.value
    assert test.reversed.low <= test.reversed.high


def test_the_bootstrap_of_one_comparison_does_not_follow_from_the_others() -> None:
    one, other = np.array([True] * 30 + [False] * 10), np.array([True] * 20 + [False] * 20)
    alone = paired_shares("x", ("a",), one, other, DRAWS)
    assert paired_shares("x", ("a",), one, other, DRAWS) == alone
    assert paired_shares("y", ("a",), one, other, DRAWS).difference.value == alone.difference.value


def test_evidence_repeats_itself_and_reads_results_only(usual: dict) -> None:
    section = declaring(usual, 300)
    assert evidence(section, usual, SILENT) == evidence(section, usual, SILENT)
    reached = {name.partition(".")[0] for name in imported_at_once("experiments.evidence.evidence")}
    assert not reached & {"torch", "transformers", "peft"}


def test_captions_are_compared_photo_by_photo(usual: dict) -> None:
    test = usual["evidence"].tests["caption_right_colour"]
    records = usual["captions"].records
    gained = sum(at.judged_after.right_colour and not at.judged_before.right_colour for at in records)
    lost = sum(at.judged_before.right_colour and not at.judged_after.right_colour for at in records)
    assert (test.only_one, test.only_other, test.test) == (gained, lost, "McNemar's exact test")
    chrf = usual["evidence"].tests["caption_chrf"]
    after = np.mean([at.judged_after.score for at in records])
    assert (chrf.test, chrf.one) == ("paired bootstrap", pytest.approx(after))


def test_what_was_forgotten_is_compared_with_the_base_on_held_out_photos(usual: dict) -> None:
    test = usual["evidence"].tests["forgotten_rank_32"]
    assert (test.one, test.other, test.only_one, test.only_other) == (0.75, 0.9, 0, 30)
    assert test.verdict == "lower"


@pytest.mark.parametrize("stages", [("vit",), ("zero_shot", "cnn")])
def test_two_classes_have_no_next_to_the_extremes(usual: dict, stages: tuple[str, ...]) -> None:
    two = {
        stage: usual[stage].model_copy(update={"classes": ("a", "b"), "confusion": ((3, 1), (1, 3))})
        for stage in stages
    }
    keys = {each.key for each in classifier_comparisons(two, usual["data_sets"], DRAWS)}
    assert not [key for key in keys if key.endswith(("hardest", "easiest", "confusion"))]


def test_so_few_photos_settle_nothing_however_much_they_change() -> None:
    for photos, settled in ((2, False), (5, False), (40, True)):
        tests = results(World(photos=photos))["evidence"].tests
        for key in ("caption_chrf", "caption_distance", "distance_rank_1"):
            assert (tests[key].verdict != "unclear") == settled, (photos, key)
            assert tests[key].p >= 2.0 ** (1 - photos)


def test_a_model_that_few_images_cannot_tell_from_guessing_is_not_said_to_be_surely_broken() -> None:
    few, many = (results(World(cnn=0.26, harder=1.0, images=images))["evidence"] for images in (40, 8000))
    assert "cnn" in few.broken
    assert few.too_few_images("cnn")
    assert many.broken == ("cnn",)
    assert not many.too_few_images("cnn")
    assert not many.too_few_images("vit")
