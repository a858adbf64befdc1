import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.config.photos import Cifar10Captions, GeneratedPhotos
from experiments.datasets import cifar10_captions
from experiments.datasets.cifar10 import CLASSES
from experiments.datasets.generated_photos import COLOURS
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.loading import load_photos
from experiments.datasets.photos import CaptionedPhotos, draw_others
from tests.support.copies import ROOT
from tests.support.refusals import refusal

COMMITTED = Cifar10Captions(kind="cifar10_captions", captions="data/cifar10_captions.csv")
HEADER = "split,index,pass,caption,uncertain\n"
GOOD = (
    HEADER
    + "test,7,2,second of seven,\n"
    + "train,12,1,a tuning photo,the sky\n"
    + 'test,7,1,"  first, of seven ",\n'
    + "test,2,1,of two,\n"
    + "train,3,1,another tuning photo,\n"
)


def pool(train: int, test: int, size: int) -> ClassifiedImages:
    """Images of random pixels, as many as a test needs."""
    random = np.random.default_rng(0)
    return ClassifiedImages(
        classes=CLASSES,
        train_images=random.integers(0, 256, (train, size, size, 3), dtype=np.uint8),
        train_labels=random.integers(0, 10, train),
        test_images=random.integers(0, 256, (test, size, size, 3), dtype=np.uint8),
        test_labels=random.integers(0, 10, test),
    )


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> ClassifiedImages:
    images = pool(20, 10, 4)
    monkeypatch.setattr(cifar10_captions, "load_cifar10", lambda *arguments: images)
    return images


def load(folder: Path, content: str | bytes) -> CaptionedPhotos:
    (folder / "mine.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    config = Cifar10Captions(kind="cifar10_captions", captions="mine.csv")
    return load_photos(config, folder, folder / "downloads", print)


def test_rows_become_photos_in_order_of_index_with_captions_in_order_of_pass(
    tmp_path: Path, small: ClassifiedImages
) -> None:
    photos = load(tmp_path, GOOD)
    assert [photo.name for photo in photos.tuning] == ["train-3", "train-12"]
    assert [photo.name for photo in photos.evaluation] == ["test-2", "test-7"]
    assert photos.evaluation[1].references == ("first, of seven", "second of seven")
    assert photos.tuning[1].references == ("a tuning photo",)
    np.testing.assert_array_equal(photos.tuning[1].pixels, small.train_images[12])
    np.testing.assert_array_equal(photos.evaluation[1].pixels, small.test_images[7])
    assert photos.tuning[0].label == CLASSES[small.train_labels[3]]
    assert photos.evaluation[0].label == CLASSES[small.test_labels[2]]
    assert (photos.tuning[1].index, photos.classes) == (12, CLASSES)
    assert [source.name for source in photos.source][1:] == [
        "captions of CIFAR-10 photos (machine-written), mine.csv"
    ]


def test_pixels_are_read_only_and_do_not_keep_the_whole_data_set_in_memory(tmp_path: Path) -> None:
    for photo in load(tmp_path, GOOD).tuning:
        assert not photo.pixels.flags.writeable
        assert photo.pixels.base is None


def test_a_file_saved_by_a_spreadsheet_reads_the_same(tmp_path: Path) -> None:
    saved = load(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    references = [photo.references for photo in saved.evaluation]
    assert references == [photo.references for photo in load(tmp_path, GOOD).evaluation]


def test_a_tuning_photo_keeps_the_first_passs_caption_only(tmp_path: Path) -> None:
    photos = load(tmp_path, GOOD + "train,3,0,the very first,\n")
    assert photos.tuning[0].references == ("the very first",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("index", "number", "mine.csv:1: the first line does not name the column 'index'"),
        (",uncertain", "", "mine.csv:1: the first line does not name the column 'uncertain'"),
        (GOOD, "", "mine.csv:1: the first line does not name the column 'split'"),
        ("train,12", "validation,12", "mine.csv:3: the split 'validation' must be"),
        ("test,2", "test,two", "mine.csv:5: the index 'two' must be a whole number"),
        ("test,2", "test,-2", "mine.csv:5: the index '-2' must be a whole number"),
        ("test,2", "test,1_0", "mine.csv:5: the index '1_0' must be a whole number"),
        ("test,2", "test," + "9" * 5000, "must be a whole number"),
        ("test,2,1", "test,2,one", "mine.csv:5: the pass 'one' must be a whole number"),
        ("test,2", "test,10", "mine.csv:5: the index 10 must be below 10, the number of test"),
        ("train,12", "train,20", "mine.csv:3: the index 20 must be below 20"),
        ("of two", "  ", "mine.csv:5: the caption is empty"),
        ("of two", "of \u202etwo", "of \\u202etwo' holds the mark U+202E, which turns the letters after"),
        ("of two", "of \x07 two", "holds the control character U+0007; write it anew"),
        ("test,2,1", "test,07,2", "mine.csv:5: test photo 7 has a caption of pass 2 already, at mine.csv:2"),
        ("of two", "of two, or three", "mine.csv:5: the line has too many fields"),
        ("of two,", "of two", "mine.csv:5: the line has too few fields"),
        (GOOD, HEADER + "test,1,1,a,\ntest,2,1,b,\n", "mine.csv has 0 train and 2 test photos"),
        ("test,2,1", "test,7,3", "mine.csv has 2 train and 1 test photos"),
        ("of two", "caf\udce9", "mine.csv is not a CSV file in UTF-8"),
        ("of two", '"open', "mine.csv is not a CSV file in UTF-8"),
    ],
)
def test_a_line_that_cannot_be_used_is_one_sentence_with_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    content = GOOD.replace(old, new).encode(errors="surrogateescape")
    assert said in refusal(load, tmp_path, content)


@pytest.mark.parametrize("name", ["mine.csv", "."])
def test_a_missing_file_is_named_with_the_option_and_nothing_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(cifar10_captions, "load_cifar10", lambda *arguments: pytest.fail("downloads"))
    config = Cifar10Captions(kind="cifar10_captions", captions=name)
    sentence = refusal(load_photos, config, tmp_path, tmp_path / "downloads", print)
    assert f"{tmp_path / name} cannot be read " in sentence and "photos.captions" in sentence


def test_tuning_evaluation_and_drawn_photos_of_the_committed_captions_are_pairwise_disjoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pool(50_000, 10_000, 4)
    # A copy of an evaluation photo among the training photos, as real collections have them.
    images.train_images[17] = images.test_images[35]
    monkeypatch.setattr(cifar10_captions, "load_cifar10", lambda *arguments: images)
    photos = load_photos(COMMITTED, ROOT, tmp_path, print)
    assert (len(photos.tuning), len(photos.evaluation)) == (50, 60)
    assert "test-35" in {photo.name for photo in photos.evaluation}
    assert {len(photo.references) for photo in photos.evaluation} == {2}
    captioned = [*photos.tuning, *photos.evaluation]
    alignment = draw_others(images.train_pictures, captioned, 50_000, seed=0)
    others = draw_others(images.test_pictures, captioned, 2_000, seed=0)
    assert 17 not in alignment
    assert (len(alignment), len(others)) == (50_000 - 50 - 1, 2_000)
    parts = [
        [photo.pixels for photo in photos.tuning],
        [photo.pixels for photo in photos.evaluation],
        images.train_images[alignment],
        images.test_images[others],
    ]
    contents = [{pixels.tobytes() for pixels in part} for part in parts]
    for one, other in itertools.combinations(contents, 2):
        assert not one & other


def generated(**options: int) -> CaptionedPhotos:
    usual: dict[str, Any] = {"seed": 3, "tuning": 24, "evaluation": 12, "size": 16}
    config = GeneratedPhotos(kind="generated", **usual | options)
    return load_photos(config, Path(), Path(), print)


def pictures(photos: CaptionedPhotos) -> list[bytes]:
    return [photo.pixels.tobytes() for photo in (*photos.tuning, *photos.evaluation)]


def test_generated_photos_follow_from_the_seed_alone_and_no_two_are_alike() -> None:
    assert pictures(generated()) == pictures(generated())
    assert not set(pictures(generated())) & set(pictures(generated(seed=4)))
    assert len(set(pictures(generated()))) == 36


def test_more_tuning_photos_leave_the_generated_evaluation_photos_as_they_were() -> None:
    assert pictures(generated(tuning=1))[1:] == pictures(generated())[24:]


@pytest.mark.parametrize("size", [8, 16, 33])
def test_a_generated_photo_shows_what_its_captions_say(size: int) -> None:
    photos = generated(size=size)
    for photo in (*photos.tuning, *photos.evaluation):
        assert photo.pixels.shape == (size, size, 3)
        assert photo.pixels.dtype == np.uint8
        assert not photo.pixels.flags.writeable
        (colour,) = (name for name in COLOURS if (photo.pixels == COLOURS[name]).all(axis=2).sum() >= 4)
        for caption in photo.references:
            assert colour in caption.split()
            assert photo.label in caption.split()
            assert len(set(caption.split()) & {*COLOURS, *photos.classes}) == 2


def test_generated_photos_have_one_caption_to_tune_on_and_two_wordings_to_evaluate_on() -> None:
    photos = generated()
    assert {len(photo.references) for photo in photos.tuning} == {1}
    assert {len(set(photo.references)) for photo in photos.evaluation} == {2}
    names = [photo.name for photo in (*photos.tuning, *photos.evaluation)]
    assert len(set(names)) == 36
    assert [photo.index for photo in photos.evaluation] == list(range(12))
    labels = [photo.label for photo in photos.evaluation]
    assert [labels.count(shape) for shape in photos.classes] == [3, 3, 3, 3]


def test_stripes_are_several_and_a_cross_is_one() -> None:
    captions = {photo.label: photo.references[1] for photo in generated().evaluation}
    assert "a cross of" in captions["cross"]
    assert "behind stripes of" in captions["stripes"]
