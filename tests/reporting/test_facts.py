from reporting import facts
from tests.reporting.conftest import classifier


def test_models_are_ranked_by_accuracy_and_equals_keep_their_order() -> None:
    values = {"a": classifier("cnn", 0.5), "b": classifier("cnn", 0.9), "c": classifier("cnn", 0.5)}
    assert facts.ranked(values) == ["b", "a", "c"]


def test_intervals_overlap_when_accuracies_are_close_and_not_when_they_are_far_apart() -> None:
    assert facts.overlap(classifier("cnn", 0.80), classifier("vit", 0.83))
    assert not facts.overlap(classifier("cnn", 0.60), classifier("vit", 0.83))


def test_a_model_at_chance_level_is_recognised() -> None:
    assert facts.at_chance(classifier("cnn", 1 / 3))
    assert facts.at_chance(classifier("cnn", 0.1))
    assert not facts.at_chance(classifier("cnn", 0.5))


def test_the_hardest_class_and_the_main_confusion_are_those_of_the_confusion_matrix() -> None:
    result = classifier("cnn", 0.8).model_copy(update={"confusion": ((9, 1, 0), (4, 5, 1), (0, 3, 7))})
    assert facts.main_confusion(result) == (1, 0)
    per_class = [estimate.value for estimate in result.per_class]
    assert per_class[facts.hardest(result)] == min(per_class)
    assert per_class[facts.easiest(result)] == max(per_class)
