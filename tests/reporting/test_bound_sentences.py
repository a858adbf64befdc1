"""An author's sentence follows the test that it is bound to, and no sentence adds a test."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from experiments.evidence.declared import declared
from experiments.project import open_project
from pipeline.errors import UserError
from reporting.bindings import Bound, bound, compared
from tests.support.copies import ROOT
from tests.support.declared import declaring
from tests.support.report_worlds import World, results
from tests.support.spoken import document


@cache
def usual(cnn: float = 0.9) -> dict[str, Any]:
    """The results of a world in which only the convolutional network's accuracy differs."""
    return results(World(photos=10, cnn=cnn))


SIDES = {"otherwise": "The ViT is better.", "unclear": "Who knows."}


@pytest.mark.parametrize("profile", [path.stem for path in sorted((ROOT / "profiles").glob("*.toml"))])
def test_the_tests_that_can_be_named_are_those_that_are_declared(profile: str) -> None:
    config = open_project(profile, ROOT).profile.family
    assert set(compared(config)) == set(declared(config))
    for key, test in compared(config).items():
        assert bound(str(test), config) == Bound(key)
        assert bound(key, config) == Bound(key)


def test_a_world_without_variants_or_photos_declares_what_can_be_named_as_well() -> None:
    values = dict(usual())
    halves = ("zero_shot", "vit", "cnn"), ("generate", "variants")
    for left_out in ((), ("variants",), ("align",), ("cnn",), *halves):
        config = declaring({name: value for name, value in values.items() if name not in left_out}, 1000)
        assert set(compared(config)) == set(declared(config))


def said(cnn: float, folder: Path, binding: str, sentence: str, **others: str) -> str:
    return document(usual(cnn), folder).claim(binding, sentence, **others)


@pytest.mark.parametrize(
    ("cnn", "expected"),
    [(0.9, "The CNN is better."), (0.6, "The ViT is better."), (0.75, "Who knows.")],
)
def test_a_sentence_turns_with_the_result(tmp_path: Path, cnn: float, expected: str) -> None:
    shown = said(cnn, tmp_path, "cnn > vit", "The CNN is better.", **SIDES)
    assert shown.startswith(expected)
    assert "vit-beats-cnn" in shown, "it leads to its evidence"
    assert sum(text in shown for text in ("The CNN is better.", *SIDES.values())) == 1


@pytest.mark.parametrize("binding", ["cnn > vit", "vit < cnn", " cnn>vit "])
def test_either_way_round_is_the_same_test(tmp_path: Path, binding: str) -> None:
    assert said(0.9, tmp_path, binding, "Yes.").startswith("Yes.")
    assert said(0.6, tmp_path, binding, "Yes.", otherwise="No.").startswith("No.")


@pytest.mark.parametrize(("cnn", "word"), [(0.6, "the opposite"), (0.75, "cannot be told")])
def test_a_sentence_that_the_evidence_does_not_carry_is_struck_out_with_what_it_says(
    tmp_path: Path, cnn: float, word: str
) -> None:
    shown = said(cnn, tmp_path, "cnn > vit", "The CNN\n is  better.")
    assert "~~The CNN is better.~~" in shown
    assert ".callout-important" in shown
    assert f"`cnn > vit`: {word}" in shown
    assert 'data-from="evidence.tests.vit_cnn.reversed.value"' in shown


def test_a_sentence_stays_while_the_result_changes_but_carries_it(tmp_path: Path) -> None:
    one, other = (said(cnn, tmp_path, "cnn > vit", "Yes.") for cnn in (0.9, 0.85))
    assert one == other


def test_measures_variants_and_chance_can_be_named(tmp_path: Path) -> None:
    made = document(usual(), tmp_path)
    config = declaring(usual(), 1000)
    for binding, lower in (("lora.after < lora.before on distance", True), ("cnn > chance", False)):
        assert made.claim(binding, "So.", unclear="So.").startswith("So.")
        test = bound(binding, config)
        assert test and test.lower is lower
    assert bound("full < base on held_out", config) == Bound("forgotten_full", lower=True)
    assert bound("rank_32 > full on held_out", config) == Bound("held_out_full")


@pytest.mark.parametrize(
    ("binding", "nearest"),
    [
        ("cnn > vitt", "cnn > vit"),
        ("lora.after > lora.before on cider", "on cider_d"),
        ("rank_31 < base on held_out", "base on held_out"),
        ("vit_cn", "vit_cnn"),
        ("the CNN is better", "there is"),
        ("", "there is"),
    ],
)
def test_a_binding_to_no_test_is_refused_with_the_nearest(binding: str, nearest: str) -> None:
    with pytest.raises(UserError, match="the evidence has no test") as caught:
        bound(binding, declaring(usual(), 1000))
    assert nearest in str(caught.value)


def test_a_sentence_of_what_the_profile_leaves_out_is_not_said(tmp_path: Path) -> None:
    values = dict(usual())
    classes = {name: values[name] for name in ("zero_shot", "vit", "cnn")}
    assert bound("lora.after > lora.before on cider_d", declaring(classes, 1000)) is None
    assert bound("full < base on held_out", declaring(classes, 1000)) is None
    assert bound("cnn > vit", declaring({"cnn": values["cnn"]}, 1000)) is None


def test_what_is_not_tested_yet_is_said_to_be_so(tmp_path: Path) -> None:
    values = dict(usual())
    del values["evidence"]
    assert "not tested yet" in document(values, tmp_path).claim("cnn > vit", "Yes.", otherwise="No.")
