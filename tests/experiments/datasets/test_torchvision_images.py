from pathlib import Path

import numpy as np
import pytest

from experiments.config.images import TorchvisionImages
from experiments.datasets import torchvision_images
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.torchvision_images import load_torchvision
from pipeline.errors import UserError
from tests.support.idx import idx
from tests.support.refusals import refusal
from tests.support.small_profiles import draw

SECTION = TorchvisionImages(kind="torchvision", name="FashionMNIST", size=32, folder="copy")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small copy in the layout of FashionMNIST."""
    random = np.random.default_rng(0)
    raw = tmp_path / "copy" / "FashionMNIST" / "raw"
    for part, count in (("train", 30), ("t10k", 20)):
        idx(raw / f"{part}-images-idx3-ubyte", random.integers(0, 256, (count, 28, 28)))
        idx(raw / f"{part}-labels-idx1-ubyte", np.arange(count) % 10)
    return tmp_path


def load(config: TorchvisionImages, root: Path) -> ClassifiedImages:
    return load_torchvision(config, root, root / "downloads", root / "ready", lambda line: None)


def test_a_data_set_is_loaded_by_its_name_from_a_copy_with_its_own_parts_and_class_names(root: Path) -> None:
    images = load(SECTION, root)
    assert images.classes[0] == "T-shirt/top"
    assert len(images.classes) == 10
    assert images.train_images.shape == (30, 32, 32, 3)
    assert images.test_labels.tolist() == [number % 10 for number in range(20)]
    assert images.test_pictures[3].shape == (28, 28, 3)
    assert len(images.train_pictures) == 30


def test_grey_pictures_become_rgb_and_keep_their_values(root: Path) -> None:
    config = SECTION.model_copy(update={"size": 28})
    images = load(config, root)
    np.testing.assert_array_equal(images.train_images[5], images.train_pictures[5])
    assert (images.train_images[..., 0] == images.train_images[..., 2]).all()


def test_names_of_classes_may_be_given_but_not_too_few(root: Path) -> None:
    named = SECTION.model_copy(update={"classes": tuple("abcdefghij")})
    assert load(named, root).classes == tuple("abcdefghij")
    sentence = "10 classes, 2 of them with names: name all as images.classes"
    assert sentence in refusal(load, SECTION.model_copy(update={"classes": ("a", "b")}), root)


def test_classes_that_differ_by_case_as_emnists_letters_do_are_loaded_and_one_without_a_name_is_not(
    root: Path,
) -> None:
    letters = (*"ABCDE", *"abcde")
    assert load(SECTION.model_copy(update={"classes": letters}), root).classes == letters
    unnamed = SECTION.model_copy(update={"classes": ("_", *letters[1:])})
    assert "a class whose name ' ' holds nothing that can be seen" in refusal(load, unnamed, root)


@pytest.mark.parametrize("name", ["Nonesuch", "VisionDataset2", "os", "wrap_dataset_for_transforms_v2"])
def test_a_name_that_torchvision_does_not_have_is_answered_with_those_it_has(root: Path, name: str) -> None:
    with pytest.raises(UserError, match=rf"no data set '{name}'.*it has .*CIFAR100.*FashionMNIST"):
        load(SECTION.model_copy(update={"name": name}), root)


def test_a_folder_without_the_data_is_one_sentence_and_nothing_is_downloaded(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with pytest.raises(UserError, match=r"cannot load FashionMNIST from .*copy .*place its files there"):
        load(SECTION, tmp_path)
    assert not list((tmp_path / "copy").iterdir())


def test_a_class_without_test_images_is_refused(root: Path) -> None:
    raw = root / "copy" / "FashionMNIST" / "raw"
    idx(raw / "t10k-labels-idx1-ubyte", np.zeros(20))
    with pytest.raises(UserError, match=r"no images of .*\(test\)"):
        load(SECTION, root)


def test_a_data_set_without_parts_is_split_by_lot(tmp_path: Path) -> None:
    """EuroSAT is a folder for each class."""
    for number in range(24):
        name = ("Forest", "River", "Sea")[number % 3]
        draw(tmp_path / "copy" / "eurosat" / "2750" / name / f"{name}_{number}.jpg", number)
    config = SECTION.model_copy(update={"name": "EuroSAT"})
    assert "images.test_share and images.seed must say" in refusal(load, config, tmp_path)
    images = load(config.model_copy(update={"test_share": 0.25, "seed": 0}), tmp_path)
    assert images.classes == ("Forest", "River", "Sea")
    assert np.bincount(images.test_labels).tolist() == [2, 2, 2]
    assert np.bincount(images.train_labels).tolist() == [6, 6, 6]


def test_further_arguments_reach_the_data_set(root: Path) -> None:
    """EMNIST is six data sets, told apart by an argument."""
    raw = root / "copy" / "EMNIST" / "raw"
    for part, count in (("train", 52), ("test", 26)):
        idx(raw / f"emnist-letters-{part}-images-idx3-ubyte", np.zeros((count, 28, 28)))
        idx(raw / f"emnist-letters-{part}-labels-idx1-ubyte", np.arange(count) % 26 + 1)
    config = SECTION.model_copy(update={"name": "EMNIST", "options": {"split": "letters"}})
    with pytest.raises(UserError, match=r"no images of N/A"):
        load(config, root)


def test_items_without_a_single_class_each_are_refused() -> None:
    items = [("picture", ["several", "boxes"])]
    sentence = refusal(torchvision_images._labels, items, np.arange(1))
    assert "have no single class each: name another data set" in sentence


OPTIONS = {
    "an option that it does not take": (
        "OxfordIIITPet", {"splitt": "test"}, "names splitt, which OxfordIIITPet of torchvision does not"
    ),
    "an option of ours": ("FashionMNIST", {"root": "/etc"}, "names root, which FashionMNIST"),
    "an option that it needs": ("EMNIST", {}, "images.options must name split, which EMNIST"),
    "a value that it does not know": (
        "OxfordIIITPet", {"target_types": "breed"}, "cannot take what images.options says (Unknown value"
    ),
    "a split that it does not know": (
        "OxfordIIITPet", {"split": "validation"}, "Valid values are {'trainval', 'test'}"
    ),
    "files that are not there, by its own names of splits": (
        "OxfordIIITPet", {}, "torchvision cannot load OxfordIIITPet from"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options_are_told_from_files_that_are_not_there(tmp_path: Path, case: str) -> None:
    name, options, sentence = OPTIONS[case]
    (tmp_path / "copy").mkdir()
    at_random = {"test_share": 0.5, "seed": 0}
    config = SECTION.model_copy(update={"name": name, "options": options, **at_random})
    told = refusal(load, config, tmp_path)
    assert sentence in told
    assert ("place its files there" in told) == case.startswith("files")
