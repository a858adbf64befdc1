from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.config.images import (
    AnyImages,
    Cifar10Config,
    GeneratedConfig,
    ImageFolder,
    TorchvisionImages,
)
from experiments.datasets import cifar10
from experiments.datasets.generated import generate
from experiments.datasets.images import ClassifiedImages, draw_validation, keep_for_validation
from experiments.datasets.loading import load_images
from tests.support.idx import idx
from tests.support.refusals import refusal
from tests.support.small_profiles import draw_classes

DRAWN = GeneratedConfig(kind="generated", seed=0, train=40, test=8, size=8)
KINDS: dict[str, AnyImages] = {
    "generated": DRAWN,
    "folder": ImageFolder(kind="folder", folder="pets", size=16, test_share=0.25, seed=0),
    "torchvision": TorchvisionImages(kind="torchvision", name="FashionMNIST", size=32, folder="copy"),
    "cifar10": Cifar10Config(kind="cifar10", source="npm"),
}


@given(st.lists(st.integers(0, 4), min_size=8, max_size=60), st.integers(0, 50), st.integers(0, 5))
def test_so_many_are_kept_as_asked_of_each_class_alike_and_one_of_each_stays(
    drawn: list[int], count: int, seed: int
) -> None:
    labels = np.array(drawn)
    sizes = np.bincount(labels, minlength=5)
    most = len(labels) - np.count_nonzero(sizes)
    if count > most:
        assert f"at most {most} can be" in refusal(draw_validation, labels, count, seed)
        return
    kept = draw_validation(labels, count, seed)
    own = np.bincount(labels[kept], minlength=5)
    assert kept.sum() == count
    assert (own[sizes > 0] < sizes[sizes > 0]).all()
    if count < most * 0.8 and (sizes >= 10).all():
        assert (abs(own - sizes * count / len(labels)) <= 1).all()
    np.testing.assert_array_equal(kept, draw_validation(labels, count, seed))


def test_another_seed_keeps_others() -> None:
    labels = np.arange(200) % 10
    assert (draw_validation(labels, 50, 0) != draw_validation(labels, 50, 1)).any()
    assert np.bincount(labels[draw_validation(labels, 50, 0)]).tolist() == [5] * 10


def test_no_image_kept_is_the_very_same_data_set() -> None:
    images = generate(DRAWN)
    assert keep_for_validation(images, 0, 3) is images
    empty = (images.validation_labels, images.validation_images, images.validation_pictures)
    assert [len(part) for part in empty] == [0, 0, 0]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small data of every kind."""
    random = np.random.default_rng(0)
    draw_classes(tmp_path / "pets")
    raw = tmp_path / "copy" / "FashionMNIST" / "raw"
    for part, count in (("train", 40), ("t10k", 20)):
        idx(raw / f"{part}-images-idx3-ubyte", random.integers(0, 256, (count, 28, 28)))
        idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)
    small = generate(DRAWN)
    monkeypatch.setattr(cifar10, "load_cifar10", lambda *arguments: small)
    return tmp_path


def load(config: AnyImages, root: Path, ready: str) -> ClassifiedImages:
    return load_images(config, root, root / "downloads", root / ready, lambda line: None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_set_is_cut_in_two_and_nothing_is_lost_or_in_both(kind: str, root: Path) -> None:
    """The pictures as the data set has them are cut in the same way as what networks see of them."""
    config = KINDS[kind]
    whole = load(config, root, "whole")
    cut = load(config.model_copy(update={"validation": 5, "validation_seed": 7}), root, "cut")
    kept = draw_validation(whole.train_labels, 5, 7)
    for part, mask in (("train", ~kept), ("validation", kept)):
        images, labels = getattr(cut, f"{part}_images"), getattr(cut, f"{part}_labels")
        np.testing.assert_array_equal(images, whole.train_images[mask])
        np.testing.assert_array_equal(labels, whole.train_labels[mask])
        assert not images.flags.writeable and not labels.flags.writeable
        pictures = getattr(cut, f"{part}_pictures")
        expected = whole.train_pictures.at(np.flatnonzero(mask))
        digests = [expected.digest(at) for at in range(len(expected))]
        assert [pictures.digest(at) for at in range(len(pictures))] == digests
    np.testing.assert_array_equal(cut.test_images, whole.test_images)


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_can_be_spared_is_one_sentence_for_every_kind(kind: str, root: Path) -> None:
    config = KINDS[kind].model_copy(update={"validation": 40})
    assert "images.validation = 40 keeps too many" in refusal(load, config, root, "cut")
