import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from experiments.classification.evaluation import Predictions, score
from experiments.results.trained import TrainedClassifier
from experiments.statistics.intervals import wilson
from figures import (
    accuracy,
    caption_change,
    confusion,
    confusion_pair,
    per_class,
    rank_effect,
    reliability,
    word_shifts,
)
from figures.calibration import LEAST, calibration, calibrations
from figures.readable import readable
from figures.selection import ALL, EXTREMES, MATRIX, MISTAKES, pair, selection
from figures.shifts import MOST, shifts
from figures.style import COLOURS, fonts_with, new_figure, save, shortened
from reporting.enlarging import damage
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.report_worlds import World, results
from tests.support.results import ablations, comparison, judged_by_halves


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
    whole = readable(" ".join(name.split()))
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


# What is drawn


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def rows(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def points(axes: Axes, label: str) -> list[tuple[float, float]]:
    """Where marks of one kind stand, from top to bottom."""
    drawn = {"before": [], label: []}
    for container in axes.containers:
        (line, *_) = cast(Any, container).lines
        if container.get_label() == label:
            drawn[label].append((float(line.get_xdata()[0]), float(line.get_ydata()[0])))
    return sorted(drawn[label], key=lambda at: at[1])


def test_each_accuracy_stands_beside_its_bar_as_the_page_writes_it() -> None:
    figure = accuracy.draw({"vit": classifier(4, wrong=1), "cnn": classifier(4)})
    assert texts(figure.axes[0])[:2] == ["75.0\xa0%", "100.0\xa0%"]
    assert [cast(Any, bar).get_width() for bar in figure.axes[0].patches] == [0.75, 1.0]


def change(**moved: Any) -> Any:
    captions = comparison(moved)
    return caption_change.draw({"captions": captions, "evidence": judged_by_halves(captions, ablations())})


def test_a_measure_is_drawn_from_before_to_after_in_units_of_a_second_reference() -> None:
    agreement, grounding = change().axes
    assert rows(agreement) == ["BLEU-4", "CIDEr-D", "ROUGE-L", "chrF++"]
    assert points(agreement, "before")[0][0] == pytest.approx(4.2 / 14.3)
    assert points(agreement, "after: better")[0][0] == pytest.approx(11.6 / 14.3)
    assert texts(agreement)[0] == "4.20 → 11.6"
    assert points(grounding, "before")[0][0] == 0.85
    assert texts(grounding)[0] == "85.0\xa0% → 80.0\xa0%"


@pytest.mark.parametrize(
    ("after", "kind"), [(0.5, "after: better"), (0.02, "after: not to be told from before")]
)
def test_what_no_test_finds_looks_like_no_finding(after: float, kind: str) -> None:
    grounding = change(right_colour=(0.02, after, 0.1)).axes[1]
    row = rows(grounding).index("names a colour of the references")
    assert any(round(y) == row and x == after for x, y in points(grounding, kind))


def test_a_change_for_the_worse_is_told_by_its_mark_as_well_as_by_its_colour() -> None:
    grounding = change(wrong_colour=(0.05, 0.9, 0.1)).axes[1]
    marks = {each.get_label(): each.lines[0].get_marker() for each in grounding.containers}
    assert marks["after: worse"] not in {marks["before"], "o"}


def test_measures_without_a_second_reference_have_a_scale_of_their_own_and_say_so() -> None:
    captions = comparison()
    alone = tuple(each.model_copy(update={"references": None}) for each in captions.measures)
    captions = captions.model_copy(update={"measures": alone})
    figure = caption_change.draw({"captions": captions, "evidence": judged_by_halves(captions, ablations())})
    assert figure.axes[0].get_xlabel() == "each on a scale of its own, from zero"
    assert all(0 < x < 1 for x, _ in points(figure.axes[0], "after: better"))
    assert not [line for axes in figure.axes for line in axes.lines if line.get_marker() == "|"]


def test_photos_without_classes_have_rows_for_colours_alone() -> None:
    captions = comparison(classes=False)
    figure = caption_change.draw({"captions": captions, "evidence": judged_by_halves(captions, ablations())})
    assert rows(figure.axes[1]) == ["names a colour of the references", "names a colour of no reference"]


def test_rank_is_drawn_against_what_is_lost_what_is_brought_and_what_is_kept() -> None:
    held_out, distance, kept = rank_effect.draw({"ablations": ablations()}).axes
    assert rows(held_out)[:3] == ["base, not tuned", "LoRA, r = 1", "LoRA, r = 4"]
    drawn = [np.asarray(line.get_xdata()).tolist() for line in distance.lines]
    assert [line for line in drawn if len(line) == 4] == [[0.42, 0.35, 0.32, 0.301]]  # not attention alone
    assert np.asarray(kept.lines[0].get_xdata())[0] == pytest.approx(4 * 305_280 / 1e6)
    assert kept.get_xscale() == "log"


def test_without_held_out_images_or_other_ranks_the_rest_is_drawn() -> None:
    whole = ablations()
    few = tuple(
        each.model_copy(update={"held_out": None}) for each in whole.variants if each.key in {"base", "r32"}
    )
    figure = rank_effect.draw({"ablations": whole.model_copy(update={"variants": few})})
    assert len(figure.axes) == 2
    assert rows(figure.axes[0]) == ["base, not tuned", "LoRA, r = 32"]


def test_the_zero_shot_model_stands_beside_the_best_other_and_the_rest_is_left_for_later() -> None:
    three = {"zero_shot": classifier(4, 3), "vit": classifier(4, 2), "cnn": classifier(4, 1)}
    assert pair(three) == ("zero_shot", "cnn")
    assert pair({"vit": three["vit"], "cnn": three["cnn"]}) == ("cnn", "vit")
    assert pair({"vit": three["vit"]}) == ("vit",)
    matrices = [
        [axes for axes in each.draw(three).axes if axes.images] for each in (confusion_pair, confusion)
    ]
    assert [len(each) for each in matrices] == [2, 1]
    one, other = (axes.images[0] for axes in matrices[0])
    assert one.norm is other.norm
    shown = np.asarray(one.get_array())
    assert shown[0, 1] == 100  # all images of the first class are called the second
    assert np.asarray(other.get_array())[1, 1] == 100


def test_a_confusion_of_many_classes_is_drawn_as_its_most_frequent_mistakes() -> None:
    figure = confusion_pair.draw({"zero_shot": classifier(30, 2), "cnn": classifier(30, 0)})
    assert not any(axes.images for axes in figure.axes)
    assert rows(figure.axes[0]) == ["class 0 → class 1", "class 1 → class 2"]
    assert figure.axes[1].get_xlabel() == "no mistake"


def sure(confidence: list[float], right: list[bool]) -> TrainedClassifier:
    """A classifier of images that are all of the first class, by how sure it is of each, and if rightly."""
    predictions = tuple(0 if each else 1 for each in right)
    return classifier(2).model_copy(update={"predictions": predictions, "confidence": tuple(confidence)})


def test_confidence_is_held_against_how_often_it_is_right() -> None:
    half = [True, False] * LEAST
    told = calibration(sure([0.95] * (2 * LEAST) + [0.55] * LEAST, half + [True] * LEAST), [0] * (3 * LEAST))
    assert told is not None
    assert [(each.confidence, each.right.value) for each in told.bins] == [
        (pytest.approx(0.55), 1.0), (pytest.approx(0.95), 0.5)
    ]  # fmt: skip
    for each in told.bins:
        expected = wilson(round(each.right.value * each.right.n), each.right.n)
        assert (each.right.low, each.right.high) == (
            pytest.approx(expected.low),
            pytest.approx(expected.high),
        )
    assert told.gap == pytest.approx((0.45 * 2 + 0.45) / 3)
    assert told.confidence == pytest.approx((0.95 * 2 + 0.55) / 3)
    assert told.right == pytest.approx(2 / 3)


def test_a_bin_of_few_images_is_not_drawn_but_counts_and_full_confidence_is_in_the_last() -> None:
    told = calibration(sure([1.0] * LEAST + [0.05], [True] * LEAST + [False]), [0] * (LEAST + 1))
    assert told is not None
    assert [each.confidence for each in told.bins] == [1.0]
    assert told.gap == pytest.approx(0.05 / (LEAST + 1))


def test_labels_of_other_images_are_held_against_nothing() -> None:
    one = classifier(4)
    labels = [at // 5 for at in range(20)]
    assert calibration(one, labels[1:]) is None
    assert calibrations({"cnn": one}, labels, "of others") == {}
    assert list(calibrations({"cnn": one}, labels, one.labels_sha256)) == ["cnn"]


def test_a_reliability_diagram_has_a_panel_for_each_classifier_and_the_gap_in_it() -> None:
    values = results(World())
    figure = reliability.draw(values)
    assert [axes.get_title() for axes in figure.axes] == [
        "CLIP ViT-B-32 (openai)", "Vision transformer", "Convolutional network"
    ]  # fmt: skip
    assert [texts(axes) for axes in figure.axes] == [
        ["gap 20.0\xa0pp"],
        ["gap 5.0\xa0pp"],
        ["gap 10.0\xa0pp"],
    ]
    ((line, *_),) = (cast(Any, container).lines for container in figure.axes[0].containers)
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (pytest.approx(0.8), 0.6)


def test_words_are_counted_once_a_caption_and_the_largest_change_comes_first() -> None:
    plain = ("cat", "a grey cat", "a cat", "a photo of a cat", "a grey grey cat on a rug")
    same = ("cat", "a cat", "a cat", "a photo of a cat", "a photo of a cat on rugs")
    rising, falling = shifts(comparison(captions=[plain, plain, plain, same, same]).records)
    assert [(each.word, each.before, each.after) for each in rising] == [
        ("on", 0.0, 1.0), ("grey", 0.0, 0.6), ("rug", 0.0, 0.6), ("rugs", 0.0, 0.4)
    ]  # fmt: skip
    assert [each.references for each in rising] == [0.0, 0.6, 0.0, 0.0]
    assert [(each.word, each.change) for each in falling] == [
        ("of", pytest.approx(-0.6)),
        ("photo", pytest.approx(-0.6)),
    ]


def test_one_photo_more_is_no_shift_and_of_many_words_the_most_shifted_are_shown() -> None:
    once = [("x", "a", "a", "a", "a b"), ("x", "a", "a", "a", "a c"), ("x", "a", "a", "a", "a")]
    assert shifts(comparison(captions=once).records) == ((), ())
    many = " ".join(f"w{at}" for at in range(MOST + 3))
    rising, _ = shifts(comparison(captions=[("x", "a", "a", "a", many)] * 3).records)
    assert len(rising) == MOST


def test_without_a_shift_the_drawing_says_so() -> None:
    figure = word_shifts.draw({"captions": comparison(captions=[("cat", "a", "a", "a cat", "a cat")])})
    assert [axes.get_title("left") for axes in figure.axes] == [
        "no word is used more often", "no word is used less often"
    ]  # fmt: skip


def test_classifiers_and_verdicts_are_told_apart_in_grey() -> None:
    def luminance(colour: str) -> float:
        return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))

    for group in (("zero_shot", "vit"), ("zero_shot", "cnn"), ("base", "lora"), ("lora", "full")):
        one, other = (luminance(COLOURS[name]) for name in group)
        assert abs(one - other) > 0.08, group


def test_a_name_with_control_characters_is_drawn_with_marks_for_them(tmp_path: Path) -> None:
    """An SVG is XML, in which they cannot stand, not even in a comment."""
    whole = classifier(3).model_copy(
        update={"model": "a\x07b\u202ec", "classes": ("x\x00", "y\x1b", "z\ufffe")}
    )
    for draw in (accuracy.draw, per_class.draw, confusion.draw, confusion_pair.draw):
        save(draw({"cnn": whole}), tmp_path / "drawing.svg")
        assert damage(tmp_path / "drawing.svg") == ""
    assert shortened("a\x07b\u202ec", 30) == "a\N{REPLACEMENT CHARACTER}b‹RLO›c"


def test_nothing_of_a_users_own_matplotlibrc_is_in_a_drawing(tmp_path: Path) -> None:
    """Nor does it stop one: LaTeX may not be there."""
    (tmp_path / "matplotlibrc").write_text(
        "text.usetex: True\nsvg.fonttype: none\naxes.facecolor: red\nfont.size: 30\nsavefig.bbox: tight\n"
    )
    code = (
        "import pathlib, figures.accuracy, figures.style\nfrom tests.test_figures import classifier\n"
        "figures.style.save(figures.accuracy.draw({'cnn': classifier(4)}), pathlib.Path('drawn.svg'))"
    )
    done = python(tmp_path, "-c", code, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr) == (0, "")
    save(accuracy.draw({"cnn": classifier(4)}), tmp_path / "here.svg")
    assert (tmp_path / "drawn.svg").read_bytes() == (tmp_path / "here.svg").read_bytes()


def test_letters_are_drawn_in_a_font_that_has_them_and_named_where_there_is_none(tmp_path: Path) -> None:
    """U+10FFFD is no letter anywhere; a script that the style's own font lacks is a second font's."""
    nowhere, elsewhere = "\U0010fffd", "\U0001d49c"
    for name, lacking in (("Größe שלום é\u200d", ""), (f"a{nowhere}b", nowhere)):
        figure = accuracy.draw({"cnn": classifier(2).model_copy(update={"model": name})})
        assert save(figure, tmp_path / "drawing.svg") == lacking
    fonts, without = fonts_with(elsewhere + nowhere)
    assert without.endswith(nowhere)
    assert not [name for name in fonts if "LastResort" in name.replace(" ", "")]
    assert bool(fonts) == (elsewhere not in without)


def test_a_saved_drawing_has_clear_ground_and_no_letter_that_needs_a_font(tmp_path: Path) -> None:
    figure = accuracy.draw({"cnn": classifier(4)})
    save(figure, tmp_path / "drawing.svg")
    svg = (tmp_path / "drawing.svg").read_text()
    assert "<text" not in svg
    ground = re.search(r'<g id="patch_1">.*?style="([^"]*)"', svg, re.DOTALL)
    assert ground is not None and "fill: none" in ground[1]
    assert cast(Any, new_figure(1).get_facecolor())[3] == 0
