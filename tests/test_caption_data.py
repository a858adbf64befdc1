"""The captions in data/: balanced over the classes, complete, and about photos of the splits they name."""

import csv
from collections import Counter

import pytest

from experiments.datasets.cifar10 import CLASSES
from tests.support.copies import ROOT

LABELS = (ROOT / "tests" / "support" / "fixtures" / "cifar10_test_labels.txt").read_text().replace("\n", "")
WITHOUT_CLASS_WORD = {("train", "42442")}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (ROOT / "data" / "cifar10_captions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_photo_has_the_passes_it_should_have_and_each_once(rows: list[dict[str, str]]) -> None:
    counts = Counter((row["split"], row["pass"]) for row in rows)
    assert counts == {("train", "1"): 50, ("test", "1"): 60, ("test", "2"): 60}
    assert len({(row["split"], row["index"], row["pass"]) for row in rows}) == len(rows)
    first, second = (
        {row["index"] for row in rows if (row["split"], row["pass"]) == ("test", n)} for n in "12"
    )
    assert first == second


def test_the_evaluation_photos_are_balanced_over_the_classes(rows: list[dict[str, str]]) -> None:
    photos = {int(row["index"]) for row in rows if row["split"] == "test"}
    assert Counter(LABELS[index] for index in photos) == {str(label): 6 for label in range(10)}


def test_captions_name_a_class_and_the_evaluation_photos_name_their_own(rows: list[dict[str, str]]) -> None:
    for row in rows:
        named = {name for name in CLASSES if name in row["caption"].split()}
        if (row["split"], row["index"]) in WITHOUT_CLASS_WORD:
            assert not named
        elif row["split"] == "test":
            assert CLASSES[int(LABELS[int(row["index"])])] in named, row
        else:
            assert named, row


def test_captions_are_short_distinct_lower_case_fragments(rows: list[dict[str, str]]) -> None:
    captions = [row["caption"] for row in rows]
    for caption in captions:
        assert 6 <= len(caption.split()) <= 16
        assert caption == caption.lower().strip()
        assert not caption.endswith(".")
    for split, number in (("train", "1"), ("test", "1"), ("test", "2")):
        own = [row["caption"] for row in rows if (row["split"], row["pass"]) == (split, number)]
        assert len(set(own)) == len(own)
