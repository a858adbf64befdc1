from experiments.evidence.order import by_accuracy, mistakes
from tests.support.results import classifier


def test_classes_are_in_the_order_of_their_accuracy_and_equals_keep_theirs() -> None:
    result = classifier("cnn", 0.8)
    low, high = result.per_class[0], result.per_class[0].model_copy(update={"value": 1.0})
    result = result.model_copy(update={"per_class": (high, low, high)})
    assert by_accuracy(result, "hardest") == [1, 0, 2]
    assert by_accuracy(result, "easiest") == [0, 2, 1]


def test_mistakes_come_by_their_number_and_what_is_right_is_none() -> None:
    result = classifier("cnn", 0.8).model_copy(update={"confusion": ((9, 1, 0), (4, 5, 1), (0, 3, 7))})
    assert mistakes(result, 9) == [(1, 0), (2, 1), (0, 1), (1, 2), (0, 2), (2, 0)]
    assert mistakes(result, 2) == [(1, 0), (2, 1)]
