import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from experiments.classification.evaluation import Predictions, confident_mistakes, predictions_of, score
from experiments.datasets.images import labels_sha256
from experiments.datasets.pictures import Pictures
from pipeline.result import Attachment


def test_scores_agree_with_an_example_worked_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.12344, 0.12346, 0.7531]])
    labels = np.array([0, 1, 1, 2])
    scores = score(predictions_of([probabilities[:3], probabilities[3:]]), labels, ("a", "b", "c"))
    assert scores["predictions"] == (0, 1, 0, 2)
    assert scores["confidence"] == (0.7, 0.6, 0.5, 0.7531)
    assert scores["top1"].value == 0.75
    assert [estimate.value for estimate in scores["per_class"]] == [1.0, 0.5, 1.0]
    assert scores["confusion"] == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    assert scores["labels_sha256"] == hashlib.sha256(bytes([0, 1, 1, 2])).hexdigest()


def test_a_tie_goes_to_the_lowest_class() -> None:
    scores = score(predictions_of([np.array([[0.5, 0.5], [0.5, 0.5]])]), np.array([1, 0]), ("a", "b"))
    assert scores["predictions"] == (0, 0)


def test_probabilities_that_are_not_numbers_and_shapes_that_disagree_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        predictions_of([np.array([[0.0, 1.0]]), np.array([[np.nan, 1.0]])])
    with pytest.raises(ValueError, match="1 predictions for 2 labels"):
        score(predictions_of([np.array([[1.0, 0.0]])]), np.array([1, 0]), ("a", "b"))


def test_labels_of_more_classes_than_a_byte_can_tell_apart_have_hashes_of_their_own() -> None:
    assert labels_sha256(np.array([0, 256])) != labels_sha256(np.array([0, 0]))
    assert labels_sha256(np.array([1, 2])) == hashlib.sha256(bytes([1, 2])).hexdigest()


def test_the_surest_mistakes_are_kept_each_with_its_own_picture() -> None:
    labels = np.array([0, 1, 1, 0, 2, 2])
    found = Predictions(np.array([1, 1, 0, 2, 0, 1]), np.array([0.6, 0.99, 0.70001, 0.70002, 0.6, 0.5]))
    pixels = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((6, 4, 4, 3), dtype=np.uint8)
    written: dict[str, bytes] = {}

    def attach(file: str, content: bytes) -> Attachment:
        written[file] = content
        return Attachment.of(file, content)

    mistakes = confident_mistakes(found, labels, Pictures(pixels.__getitem__, 6), attach, most=4)
    assert [(each.index, each.label, each.prediction) for each in mistakes] == [
        (3, 0, 2), (2, 1, 0), (0, 0, 1), (4, 2, 0)
    ]  # fmt: skip
    assert [each.confidence for each in mistakes] == [0.7, 0.7, 0.6, 0.6]
    for each, content in zip(mistakes, written.values(), strict=True):
        assert each.picture.sha256 == hashlib.sha256(content).hexdigest()
        with Image.open(io.BytesIO(content)) as picture:
            assert set(np.asarray(picture).ravel()) == {each.index}


def test_a_classifier_without_mistakes_has_none_to_show() -> None:
    right = Predictions(np.array([0, 1]), np.array([0.9, 0.8]))
    pictures = Pictures(lambda at: np.zeros(0), 2)
    assert confident_mistakes(right, np.array([0, 1]), pictures, Attachment.of) == ()
