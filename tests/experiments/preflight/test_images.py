import hashlib

import numpy as np
import pytest

from experiments.config.images import ImageFolder
from experiments.config.training import CnnConfig, TrainingConfig, VitConfig
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.preflight.images import findings_of_images, findings_of_networks
from experiments.preflight.photos import findings_of_photos
from experiments.preflight.read_images import ReadImage, ReadImages
from experiments.results.source import Source

SECTION = ImageFolder(kind="folder", folder="animals", size=32, test_share=0.2, seed=0)
TRAINING = TrainingConfig(
    seed=0,
    precision="fp32",
    epochs=2,
    batch_size=50,
    learning_rate=0.1,
    weight_decay=0.0,
    label_smoothing=0.0,
    translate=1,
)
CNN = CnnConfig(**TRAINING.model_dump(), widths=(8, 8, 8))
VIT = VitConfig(**TRAINING.model_dump(), stem_width=8, width=8, depth=1, heads=2)


def image(name: str, label: int = 0, part: str = "train", content: str = "", side: int = 64) -> ReadImage:
    return ReadImage(name, part, label, hashlib.sha256((content or name).encode()).digest(), side)


def read(*images: ReadImage, own: bool = True, classes: tuple[str, ...] = ("cat", "dog")) -> ReadImages:
    return ReadImages("The folder animals", own, classes, images)


def many(train: tuple[int, int], test: tuple[int, int] = (20, 20)) -> list[ReadImage]:
    return [
        image(f"{part}/{label}/{number}", label, part)
        for part, counts in (("train", train), ("test", test))
        for label, count in enumerate(counts)
        for number in range(count)
    ]


def test_plenty_of_even_large_and_different_images_are_read_without_a_word_more() -> None:
    found = findings_of_images(read(*many((100, 90))), SECTION)
    assert found.remarks == found.problems == ()
    assert found.read == (
        "The folder animals: 190 training images and 40 test images of 2 classes (cat, dog).",
    )


def test_each_picture_that_is_there_more_than_once_is_a_problem_that_says_where() -> None:
    copies = [
        image("a", 0, "train", "one"),
        image("b", 0, "test", "one"),
        image("c", 0, "train", "two"),
        image("d", 1, "train", "two"),
        image("e", 1, "test", "three"),
        image("f", 1, "test", "three"),
        image("g", 1, "test", "three"),
    ]
    both, other, thrice = findings_of_images(read(*many((50, 50)), *copies), SECTION).problems
    assert both == (
        "The images 'a' and 'b' are the same picture, which stand both in training and in test: remove "
        "all but one."
    )
    assert "'c' and 'd' are the same picture, and are of different classes" in other
    assert thrice == "The images 'e' and 'f' and 'g' are the same picture: remove all but one."


def test_copies_in_a_published_data_set_are_a_remark_since_nobody_can_remove_them() -> None:
    copies = [image("a", 0, "train", "one"), image("b", 0, "test", "one")]
    found = findings_of_images(read(*many((50, 50)), *copies, own=False), SECTION)
    assert found.problems == ()
    assert "holds 1 picture more than once, 1 of them both in training and in test" in found.remarks[0]


def test_photos_that_are_for_both_or_there_twice_are_named() -> None:
    a, b, c, d, e = (
        Photo(name, 0, np.full((2, 2, 3), value, np.uint8), ("a thing",), None)
        for name, value in zip("abcde", (0, 1, 1, 2, 2), strict=True)
    )
    found = findings_of_photos(
        CaptionedPhotos((Source(name="They"),), (), tuning=(a, b), evaluation=(c, d, e))
    )
    assert found.problems == (
        "They: 'b' (for tuning) and 'c' (for evaluation) are the same picture, so that the comparison would "
        "flatter: leave one out.",
    )
    assert found.remarks == ("Photos that are there twice in their part: e.",)


@pytest.mark.parametrize(
    ("images", "sentences"),
    [
        (
            read(*many((9, 10), (5, 4))),
            (
                "hardly enough train images to learn from: cat (9).",
                "hardly enough test images to measure an accuracy by: dog (4).",
            ),
        ),
        (
            read(*many((30, 30)), image("x", side=31), image("y", side=8), image("z", side=32)),
            ("smaller than images.size, 32 pixels: 2 of 103, such as 'x'",),
        ),
        (read(*many((30, 30)), classes=("0", "1 - one")), ("Classes without a word in their name: 0;",)),
        (
            read(*many((20, 90), (10, 30))),
            ("dog has 90 training images, cat 20; whoever always says dog is right for 75%",),
        ),
        (read(*many((30, 90))), ()),
    ],
    ids=["few", "small", "nameless", "uneven", "barely even"],
)
def test_what_would_make_training_or_its_accuracy_mean_little_is_a_remark(
    images: ReadImages, sentences: tuple[str, ...]
) -> None:
    remarks = findings_of_images(images, SECTION).remarks
    assert len(remarks) == len(sentences)
    for remark, sentence in zip(remarks, sentences, strict=True):
        assert sentence in remark


@pytest.mark.parametrize("side", [8, 9, 16, 17, 32])
@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 5])
def test_a_cnn_is_refused_exactly_where_it_could_not_be_built_or_run(side: int, blocks: int) -> None:
    import torch

    from experiments.classification.cnn import network

    config = CNN.model_copy(update={"widths": (4,) * blocks})
    images = np.zeros((2, side, side, 3), dtype=np.uint8)
    try:
        network(images, 2, config.widths).eval()(torch.from_numpy(images))
        works = True
    except RuntimeError:
        works = False
    assert (config.misfit(side) is None) == works


@pytest.mark.parametrize(("translate", "problems"), [(15, 0), (16, 1)])
def test_a_shift_by_the_whole_image_is_refused(translate: int, problems: int) -> None:
    vit = VIT.model_copy(update={"translate": translate})
    assert (vit.misfit(16) or "").startswith("translate shifts") == bool(problems)


def test_a_training_of_few_steps_is_a_remark_where_the_images_are_counted() -> None:
    few = findings_of_networks(CNN, VIT, 100).remarks
    assert "cnn learns in 4 steps only (100 training images in batches of 50)" in few[0]
    assert findings_of_networks(CNN, VIT, 50 * 50).remarks == ()
    assert findings_of_networks(CNN, VIT, 0).remarks == ()
