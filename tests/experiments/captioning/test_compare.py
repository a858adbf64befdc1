from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.captioning.compare import captions, examples
from experiments.captioning.scoring.measures import kinds
from experiments.config.comparison import CaptionsConfig
from experiments.results.captions import Comparison
from experiments.results.generate import CaptionedRecord, Generated
from experiments.results.source import Source
from pipeline.result import Attachment
from tests.support.contexts import SILENT
from tests.support.imports import imported_at_once

SECTION = CaptionsConfig(seed=0, resamples=200, example_quantiles=(0.0, 0.25, 0.5, 0.75, 1.0))
CLASSES = ("dog", "cat", "ship")
PICTURE = Attachment(file="x.png", sha256="0" * 64)

RAMBLING = (
    "brown dog runs over a lawn. green and grey trees. the sky is grey. a grey",
    "two dogs fight for a stick. black and brown shore. sea is behind the",
    "white dog leaps at a ball . red and blue , a blue",
    "a puppy and a puppy and a puppy and a",
    "dogs play in snow. snow is white. white",
)
"""Captions that fail as those of a tuned captioner do: they go on after a first sentence and break off."""

REFERENCES = ("a brown dog runs over grass", "a dog with brown fur runs on a lawn")
SOUND = (
    "a brown dog runs over a lawn",
    "two dogs fight for a stick on the shore.",
    "a white dog leaps at a red ball",
    "a small cat sits on a grey wall",
    "a blue ship under a cloudy sky",
)


def generated(before: Any, after: Any, label: str | None = "dog", **changed: Any) -> Generated:
    records = []
    for at, (old, new) in enumerate(zip(before, after, strict=True)):
        record = {"name": f"test-{at}", "index": at, "label": label, "before": old, "after": new}
        record |= {"references": REFERENCES, "before_ended": True, "after_ended": True, "picture": PICTURE}
        records.append(CaptionedRecord(**record | changed))
    circumstances = {"source": (Source(name="made up"),), "max_new_tokens": 32, "beams": 1, "seconds": 1.0}
    tuning, classes = ("a brown dog on a lawn",), CLASSES if label else ()
    return Generated(classes=classes, tuning_captions=tuning, records=tuple(records), **circumstances)


def compared(before: Any, after: Any, label: str | None = "dog", **changed: Any) -> Comparison:
    return captions(SECTION, {"generate": generated(before, after, label, **changed)}, SILENT)


def measures(comparison: Comparison) -> dict[str, Any]:
    return {found.key: found for found in comparison.measures}


def test_captions_that_ramble_and_break_off_are_flagged_and_sound_ones_are_not():
    comparison = compared(SOUND, RAMBLING)
    before = [record.judged_before for record in comparison.records]
    assert not any(judged.cut_off or judged.rambles for judged in before)
    assert all(record.judged_after.cut_off for record in comparison.records)
    assert measures(comparison)["cut_off"].after.value == 1
    assert measures(comparison)["rambles"].after.value == 0.8
    assert sum(record.judged_after.repeats for record in comparison.records) >= 1


def test_a_caption_that_the_limit_cut_off_is_flagged_whatever_its_wording():
    comparison = compared(SOUND, SOUND, after_ended=False)
    assert all(record.judged_after.cut_off for record in comparison.records)
    assert not any(record.judged_before.cut_off for record in comparison.records)
    assert measures(comparison)["ended"].after.value == 0
    assert comparison.changed == 0, "equal captions differ in nothing that is written"


def test_swapping_before_and_after_swaps_every_measure():
    there, back = compared(SOUND, RAMBLING), compared(RAMBLING, SOUND)
    for one, other in zip(there.measures, back.measures, strict=True):
        assert one.before.value == other.after.value, one.key
        assert one.after.value == other.before.value, one.key


def test_each_value_lies_in_its_interval_and_repeats_itself_by_the_seed():
    one, again = compared(SOUND, RAMBLING), compared(SOUND, RAMBLING)
    assert one == again
    for found in one.measures:
        for estimate in (found.before, found.after):
            assert estimate.low <= estimate.value + 1e-9, found.key
            assert estimate.value <= estimate.high + 1e-9, found.key
            assert estimate.n == len(SOUND)


def test_a_perfect_caption_has_the_highest_scores_and_the_second_reference_is_read_as_a_caption():
    found = measures(compared(SOUND, [REFERENCES[0]] * 5))
    for key in ("chrf", "bleu", "rouge_l"):
        assert found[key].after.value == pytest.approx(100), key
    assert found["right_class"].references == 1
    assert 0 < found["chrf"].references < 100
    assert found["ended"].references is None


def test_nothing_is_said_of_classes_that_are_not_known_or_colours_that_no_reference_names():
    unknown = compared(SOUND, RAMBLING, label=None)
    plain = compared(SOUND, RAMBLING, references=("a dog runs", "one dog"))
    of_class, of_colour = {"right_class", "wrong_class"}, {"right_colour", "wrong_colour"}
    assert (of_class | of_colour) & measures(unknown).keys() == of_colour
    assert (of_class | of_colour) & measures(plain).keys() == of_class
    assert all(record.judged_after.right_class is None for record in unknown.records)


@pytest.mark.filterwarnings("error")
def test_captions_of_any_length_and_script_are_measured():
    for texts in (("dog", "cat"), ("", "!"), ("猫", "собака бежит"), ("word " * 200, "x" * 1000)):
        for found in compared(texts, texts[::-1], label=None).measures:
            for estimate in (found.before, found.after):
                assert np.isfinite([estimate.value, estimate.low, estimate.high]).all(), found.key


def test_a_wrong_class_and_colour_are_told_from_none():
    comparison = compared(["a dog"] * 3, ["a red cat", "a brown thing", "a brown dog"])
    judged = [record.judged_after for record in comparison.records]
    assert [(one.right_class, one.wrong_class) for one in judged] == [(0, 1), (0, 0), (1, 0)]
    assert [(one.right_colour, one.wrong_colour) for one in judged] == [(0, 1), (1, 0), (1, 0)]


def test_the_examples_stand_at_fixed_shares_of_the_change_and_nobody_chooses_them():
    changes = [5.0, -3.0, 0.0, 9.0, 1.0, 2.0, -7.0, 4.0, 3.0]
    assert [changes[at] for at in examples(changes, (0.0, 0.25, 0.5, 0.75, 1.0))] == [-7, 0, 2, 4, 9]
    assert examples([1.0, 1.0, 1.0], (0.0, 0.5, 1.0)) == {0: 0.0, 1: 0.5, 2: 1.0}, "equals keep their order"
    assert examples([1.0, 2.0], (0.0, 0.25, 0.5, 0.75, 1.0)) == {0: 0.0, 1: 1.0}, "none comes twice"
    assert examples([3.0, 1.0, 2.0], (0.0, 0.25, 0.5, 0.75, 1.0)) == {1: 0.0, 2: 0.5, 0: 1.0}


@given(st.lists(st.floats(-9, 9), min_size=2, max_size=9), st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_examples_rise_and_stand_nearest_to_their_share(changes: list[float], shares: list[float]):
    found = examples(changes, tuple(sorted(shares)))
    rising = [changes[at] for at in found]
    assert rising == sorted(rising)
    order = sorted(range(len(changes)), key=lambda at: changes[at])
    for at, share in found.items():
        place = order.index(at) / (len(changes) - 1)
        asked = [each for each in shares if order[round(each * (len(changes) - 1))] == at]
        assert abs(share - place) == min(abs(each - place) for each in asked)


def test_the_examples_of_a_comparison_follow_its_own_scores():
    comparison = compared(SOUND, RAMBLING)
    changes = [record.judged_after.score - record.judged_before.score for record in comparison.records]
    assert [changes[at] for at in comparison.examples] == sorted(changes)


def test_new_words_are_those_that_the_tuning_captions_lack():
    found = measures(compared(["a brown dog on a lawn"] * 2, ["a brown dog on a wall"] * 2))["new_words"]
    assert found.before.value == 0
    assert found.after.value == pytest.approx(1 / 6)


def test_the_keys_of_the_measures_are_unique_and_figures_of_sets_use_no_bootstrap():
    keys = [kind.key for kind in kinds(generated(SOUND, RAMBLING))]
    assert len(set(keys)) == len(keys)
    found = measures(compared(SOUND, RAMBLING))
    for key in ("vocabulary", "distinct_1", "distinct_2", "distance"):
        assert found[key].before.method == "jackknife"
    assert found["chrf"].before.method == "BCa bootstrap"


def test_the_comparison_reads_text_only():
    reached = {name.partition(".")[0] for name in imported_at_once("experiments.captioning.compare")}
    assert not reached & {"torch", "transformers", "peft"}
    assert np.__name__ in reached
