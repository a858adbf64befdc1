import pytest

from experiments.captioning.scoring.class_words import misnames_class, names_class
from experiments.captioning.scoring.grounding import right_colour, wrong_colour
from experiments.captioning.scoring.health import cut_off, rambles, repeats


@pytest.mark.parametrize(
    ("caption", "faults"),
    [
        ("small dogs run over a field. green is behind it. brown", {cut_off, rambles}),
        ("a dark dog jumps for a ring in the air. red and yellow, a black", {cut_off, rambles}),
        ("wet dog beside the rocky sea. waves in the distance.", {rambles}),
        ("a brown dog on the grass", set()),
        ("A brown dog.", set()),
        ("a boat near St. Ives", set()),
        ("a 3.5 m boat", set()),
        ("a dog on the", {cut_off}),
        ("a dog with a", {cut_off}),
        ("a dog, ", {cut_off}),
        ("on the grass on the grass", {repeats}),
        ("dog and dog near dog", {repeats}),
        ("a a", {cut_off, repeats}),
        ("aaaaa white frog on a stone", {repeats}),
        ("a whitea whiteee ship", {repeats}),
        ("a woolly sheep sees a green balloon", set()),
    ],
)
def test_a_caption_that_the_model_ended_has_the_faults_that_its_wording_shows(
    caption: str, faults: set[object]
) -> None:
    found = {cut_off: cut_off(caption, ended=True), repeats: repeats(caption), rambles: rambles(caption)}
    assert {fault for fault, there in found.items() if there} == faults


def test_a_caption_that_hit_the_limit_is_cut_off() -> None:
    assert cut_off("a brown dog on the grass", ended=False)


@pytest.mark.parametrize(
    ("caption", "label", "named"),
    [
        ("a red car on a road", "automobile", True),
        ("two ponies graze", "horse", True),
        ("the plane's wing", "airplane", True),
        ("a carpet on the floor", "automobile", False),
        ("Automobiles.", "automobile", True),
        ("a catfish", "cat", False),
        ("a fire engine", "fire engine", True),
        ("a dog", "cat", False),
        ("", "cat", False),
        ("two golden retrievers", "golden retriever", True),
        ("a retriever, golden", "golden retriever", False),
        ("a tench in a pond", "tench, Tinca tinca", True),
        ("a black top", "T-shirt/top", True),
        ("the number seven", "7 - seven", True),
        ("a 7", "7", True),
        ("17 sheep", "7", False),
        ("a field of annual crops", "AnnualCrop", True),
        ("a sheet of paper", "a|b", False),
        ("a sheet of paper", "A/B", False),
        ("anything at all", "++", False),
    ],
)
def test_a_class_is_named_by_whole_words(caption: str, label: str, named: bool) -> None:
    assert names_class(caption, label) is named


def test_naming_another_class_beside_the_right_one_is_no_mistake() -> None:
    labels = ("dog", "horse", "cat")
    assert misnames_class("a cat", "dog", labels)
    assert not misnames_class("a dog beside a horse", "dog", labels)
    assert not misnames_class("an animal", "dog", labels)


def test_colours_are_held_against_all_references() -> None:
    references = ["a gray dog", "a dog on green grass"]
    assert right_colour("a greyish dog", ["a grey dog"])
    assert right_colour("a bluish ship", ["a blue ship"])
    assert right_colour("a whitish ship", ["a white ship"])
    assert right_colour("a grey dog", references)
    assert wrong_colour("a grey dog with a red ball", references)
    assert not wrong_colour("a dog", references)
