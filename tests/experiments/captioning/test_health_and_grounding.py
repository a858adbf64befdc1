import pytest

from experiments.captioning.scoring.class_words import misnames_class, names_class
from experiments.captioning.scoring.grounding import right_colour, wrong_colour
from experiments.captioning.scoring.health import cut_off, rambles, repeats

RAMBLING = [
    "small dogs run over a field. grey and white are in front. green is behind it. brown",
    "a dark dog jumps for a ring in the air. red and yellow, a black",
    "wet dog beside the rocky sea. waves in the distance.",
]


@pytest.mark.parametrize("caption", RAMBLING)
def test_captions_that_go_on_after_their_first_sentence_ramble(caption: str) -> None:
    assert rambles(caption)


@pytest.mark.parametrize("caption", RAMBLING[:2])
def test_captions_that_break_off_are_cut_off_even_if_the_model_ended_them(caption: str) -> None:
    assert cut_off(caption, ended=True)


@pytest.mark.parametrize(
    "caption", ["a brown dog on the grass", "A brown dog.", "a boat near St. Ives", "a 3.5 m boat"]
)
def test_a_proper_caption_has_nothing_wrong(caption: str) -> None:
    assert not cut_off(caption, ended=True)
    assert not rambles(caption)
    assert not repeats(caption)


def test_a_caption_that_hit_the_limit_is_cut_off() -> None:
    assert cut_off("a brown dog on the grass", ended=False)


@pytest.mark.parametrize("caption", ["a dog on the", "a dog with a", "a dog, "])
def test_a_last_word_that_wants_another_is_a_cut(caption: str) -> None:
    assert cut_off(caption, ended=True)


@pytest.mark.parametrize("caption", ["on the grass on the grass", "dog and dog near dog", "a a"])
def test_repetition_is_noticed(caption: str) -> None:
    assert repeats(caption)


def test_a_stutter_within_a_word_is_a_repetition_and_a_doubled_letter_is_none():
    assert repeats("aaaaa white frog on a stone")
    assert repeats("a whitea whiteee ship")
    assert not repeats("a woolly sheep sees a green balloon")


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
