from collections import Counter
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from scipy.spatial.distance import jensenshannon

from experiments.captioning.scoring.metrics import bleu, bleu_counts, cider_d, rouge_l, sentence_score
from experiments.captioning.scoring.style import (
    distance_measure,
    distinct_measure,
    new_words_measure,
    vocabulary,
    vocabulary_measure,
)
from experiments.captioning.scoring.words import ngrams, words

CANDIDATES = ["a brown dog runs on the grass", "a white ship at sea", "two cats sleep"]
REFERENCES = [
    ["a brown dog running on green grass", "the dog runs on the grass"],
    ["a white ship far out at sea", "white ship on grey water"],
    ["a cat sleeping on a sofa", "two cats on a sofa"],
]
texts = st.lists(st.sampled_from(["a", "dog", "cat", "on", "the", "grass", "white"]), max_size=9).map(
    " ".join
)


@pytest.mark.parametrize(
    ("candidates", "references"),
    [
        (CANDIDATES, REFERENCES),
        (["a brown dog runs", "a red ship"], [["the brown dog sits"], ["the red ship"]]),  # is smoothed
        (["dog", "cat"], [["a dog", "dog"], ["a cat", "cat"]]),  # without a pair of words
    ],
)
def test_bleu_from_counts_is_sacrebleus_corpus_bleu(candidates: Any, references: Any) -> None:
    turned = [list(each) for each in zip(*references, strict=True)]
    expected = BLEU(tokenize="none").corpus_score(candidates, turned).score
    assert bleu(bleu_counts(candidates, references)) == pytest.approx(expected)


def test_bleu_of_a_resample_is_the_bleu_of_the_resampled_corpus() -> None:
    counts, at = bleu_counts(CANDIDATES, REFERENCES), np.array([0, 0, 2])
    again = bleu_counts([CANDIDATES[i] for i in at], [REFERENCES[i] for i in at])
    assert bleu(counts[at]) == pytest.approx(bleu(again))


def test_cider_is_ten_for_the_only_reference_and_zero_for_nothing_in_common() -> None:
    references = [["a brown dog runs on grass"], ["white ships lie in the harbour"]]
    assert cider_d([references[0][0], "zebra"], references).tolist() == pytest.approx([10.0, 0.0])


def test_cider_agrees_with_an_example_worked_by_hand() -> None:
    """Two images: every n-gram of "red dog" weighs log 2, so the unigram cosine of "red cat" is 1/2."""
    score = cider_d(["red cat", "x"], [["red dog"], ["blue ship"]])[0]
    assert score == pytest.approx(10 * (0.5 + 0 + 0 + 0) / 4)


def test_a_word_that_every_image_has_counts_for_nothing_in_cider() -> None:
    assert cider_d(["the", "the"], [["the dog"], ["the ship"]]).tolist() == [0.0, 0.0]


def test_rouge_l_agrees_with_an_example_worked_by_hand() -> None:
    """LCS of "a dog on grass" and "a dog lies on the grass" is 4: precision 1, recall 4/6."""
    precision, recall = 1.0, 4 / 6
    expected = 100 * (1 + 1.44) * precision * recall / (recall + 1.44 * precision)
    assert rouge_l("a dog on grass", ["a dog lies on the grass"]) == pytest.approx(expected)


@given(st.text("abc", min_size=1, max_size=40), st.text("abc", min_size=1, max_size=40))
def test_rouge_l_is_of_the_longest_common_subsequence_as_its_definition_counts_it(
    one: str, other: str
) -> None:
    lengths = np.zeros((len(one) + 1, len(other) + 1))
    for row, column in product(range(len(one)), range(len(other))):
        longest = max(lengths[row, column + 1], lengths[row + 1, column])
        lengths[row + 1, column + 1] = lengths[row, column] + 1 if one[row] == other[column] else longest
    precision, recall = lengths[-1, -1] / len(one), lengths[-1, -1] / len(other)
    expected = 100 * (1 + 1.44) * precision * recall / (recall + 1.44 * precision) if precision else 0
    assert rouge_l(" ".join(one), [" ".join(other)]) == pytest.approx(expected)


@given(texts, st.lists(texts.filter(bool), min_size=1, max_size=3))
def test_scores_stay_in_range_and_a_reference_scores_best(candidate: str, references: list[str]) -> None:
    assert 0 <= rouge_l(candidate, references) <= 100 + 1e-9
    assert 0 <= sentence_score(candidate, references) <= 100 + 1e-9
    assert sentence_score(references[0], references) == pytest.approx(100)
    assert rouge_l(references[0], references) == pytest.approx(100)


def test_rambling_on_lowers_the_sentence_score() -> None:
    right = "two tan dogs play in the grass"
    assert sentence_score(f"{right}. black and white are there. brown", [right]) < 99
    assert sentence_score(f"{right.capitalize()}!", [right]) == pytest.approx(100), "nor do its marks count"
    assert rouge_l("A brown, dog!", ["a brown dog"]) == pytest.approx(100)


def distance(captions: list[str], references: list[str]) -> float:
    """The distance of two sets of texts, one caption and one reference an image."""
    return distance_measure(captions, [[text] for text in references])(np.arange(len(captions)))


def test_style_measures_agree_with_examples_counted_by_hand() -> None:
    captions, both = ["a dog", "a dog runs"], np.arange(2)
    assert vocabulary(captions) == {"a", "dog", "runs"}
    assert vocabulary_measure(captions)(both) == 3
    assert distinct_measure(captions, 1)(both) == 3 / 5
    assert distinct_measure(captions, 2)(both) == 2 / 3
    assert distinct_measure(["dog", "cat"], 2)(both) == 0
    assert np.isfinite(cider_d(["dog", "cat"], [["a dog"], ["a cat"]])).all()
    assert new_words_measure(captions, frozenset({"a"}))(both) == 3 / 5
    assert distance(["x x x"], ["x"]) == pytest.approx(0)
    assert distance(["x"], ["y"]) == pytest.approx(1)
    assert distance(["x y"], ["x"]) == pytest.approx(0.5)  # of one word each, half share none
    assert (distance([""], [""]), distance([""], ["x"]), distance(["x"], ["!"])) == (0, 1, 1)


@pytest.mark.parametrize(
    ("one", "other"), [("a dog on the grass a dog", "the cat and a cat"), ("a a a a dog", "a dog")]
)
def test_the_distance_is_the_mean_over_all_ways_to_draw_as_many_words_from_each(one: str, other: str) -> None:
    drawn = min(3, len(words(one)), len(words(other)))
    every = sorted({*words(one), *words(other)})

    def frequencies(text: str) -> list[list[int]]:
        return [[Counter(some)[word] for word in every] for some in combinations(words(text), drawn)]

    distances = [
        np.nan_to_num(jensenshannon(ours, theirs, base=2)) ** 2
        for ours in frequencies(one)
        for theirs in frequencies(other)
    ]
    assert distance([one], [other]) == pytest.approx(np.mean(distances))


LENGTHS = (4, 8, 15, 30)
"""Words a caption, from the shortest that a captioner writes to longer than any reference."""


def scores(ours: np.ndarray, theirs: np.ndarray) -> list[float]:
    """The mean distance of captions of each length, their words drawn at the chances `ours`."""
    random = np.random.default_rng(0)

    def write(chances: np.ndarray, length: int) -> str:
        return " ".join(f"w{word}" for word in random.choice(len(chances), length, p=chances))

    return [
        float(np.mean([
            distance([write(ours, length) for _ in range(40)], [write(theirs, 14) for _ in range(40)])
            for _ in range(8)
        ]))
        for length in LENGTHS
    ]  # fmt: skip


@pytest.mark.parametrize("steepness", [0.7, 1.0, 1.3])
def test_the_distance_does_not_depend_on_the_length_of_captions_but_on_their_words(steepness: float) -> None:
    """Zipf's law, as words have it; uncorrected, from 4 to 30 words these fall by 0.08 to 0.21 bits."""
    chances = 1 / np.arange(1, 301) ** steepness
    chances /= chances.sum()
    alike, unlike = scores(chances, chances), scores(np.roll(chances, 20), chances)
    assert np.ptp(alike) < 0.015
    assert np.ptp(unlike) < 0.015
    assert min(unlike) > max(alike) + 0.1


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.data())
def test_a_measure_of_drawn_images_is_that_of_their_texts_written_one_after_the_other(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    places = st.lists(st.integers(0, len(pairs) - 1), min_size=1, max_size=8)
    drawn = data.draw(places)
    at = np.array(drawn)
    captions, references = ([pair[side] for pair in pairs] for side in (0, 1))
    chosen = [captions[place] for place in drawn]
    for n in (1, 2):
        grams = [gram for text in chosen for gram in ngrams(words(text), n)]
        assert distinct_measure(captions, n)(at) == len(set(grams)) / max(len(grams), 1)
    assert vocabulary_measure(captions)(at) == len(vocabulary(chosen))
    measure = distance_measure(captions, [[text] for text in references])
    others = [""] * (len(captions) - 1)  # which leave the number of images, and so of words, as it was
    whole = distance_measure(
        [" ".join(chosen), *others], [[" ".join(references[place] for place in drawn)], *([] for _ in others)]
    )
    assert measure(at) == pytest.approx(whole(np.arange(len(captions))), abs=1e-12)
