import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.classification.evaluation import Predictions, score
from experiments.results.trained import TrainedClassifier
from figures.selection import ALL, EXTREMES, MATRIX, MISTAKES, selection
from figures.style import shortened


def classifier(classes: int, wrong: int = 0) -> TrainedClassifier:
    """A classifier that calls the images of the first `wrong` classes as the next class."""
    labels = np.repeat(np.arange(classes), 5)
    predictions = np.where(labels < wrong, (labels + 1) % classes, labels)
    names = tuple(f"class {at}" for at in range(classes))
    return TrainedClassifier(
        **score(Predictions(predictions, np.full(len(labels), 0.9)), labels, names), model="m", parameters=1,
        epochs=1, precision="fp32", seconds=1.0, images_per_second=1.0, training_images=9,
        training_seconds=1.0, loss=(1.0,), validation=(), mistakes=(),
    )  # fmt: skip


@given(st.text(max_size=60), st.integers(5, 30))
@example("0\r0000", 5)
def test_a_shortened_name_fits_and_keeps_its_ends(name: str, most: int) -> None:
    short = shortened(name, most)
    whole = " ".join(name.split())
    assert len(short) <= most
    if len(whole) <= most:
        assert short == whole
    else:
        cuts = [at for at in range(1, len(short) - 1) if short[at] == "…"]
        assert any(whole.startswith(short[:at]) and whole.endswith(short[at + 1 :]) for at in cuts)
        assert len(short) >= most - 2  # a space on each side of the cut goes, and nothing else


@pytest.mark.parametrize("classes", [2, MATRIX, MATRIX + 1, ALL, ALL + 1, 100])
def test_all_classes_are_shown_up_to_a_number_and_then_the_extremes(classes: int) -> None:
    shown = selection({"cnn": classifier(classes, wrong=2)})
    if classes <= ALL:
        assert (shown.classes, shown.hardest, shown.easiest) == (tuple(range(classes)), (), ())
    else:
        assert shown.hardest[:2] == (0, 1)
        assert len(shown.hardest) == len(shown.easiest) == EXTREMES
        assert shown.classes == (*shown.hardest, *shown.easiest)
    assert bool(shown.mistakes) == (classes > MATRIX)


def test_hard_is_what_is_hard_for_all_classifiers_together() -> None:
    one, other = classifier(30, wrong=1), classifier(30, wrong=3)
    assert selection({"vit": one, "cnn": other}).hardest[:3] == (0, 1, 2)


def test_only_mistakes_that_were_made_are_shown() -> None:
    shown = selection(
        {"vit": classifier(30, wrong=0), "cnn": classifier(30, wrong=2), "x": classifier(30, 25)}
    )
    assert shown.mistakes["vit"] == ()
    assert shown.mistakes["cnn"] == ((0, 1), (1, 2))
    assert len(shown.mistakes["x"]) == MISTAKES
