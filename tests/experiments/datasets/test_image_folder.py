import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.config.images import ImageFolder
from experiments.datasets.image_folder import files_of, load_image_folder, problems_of, split_of
from experiments.datasets.images import ClassifiedImages, draw_test_split
from experiments.datasets.pictures import digest
from tests.support.refusals import refusal

SECTION = ImageFolder(kind="folder", folder="pets", size=16, test_share=0.25, seed=0)
GIVEN = ImageFolder(kind="folder", folder="pets", size=16)


def save(path: Path, colour: int = 0, size: tuple[int, int] = (20, 24), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(colour)
    pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes of eight, six and four pictures of many sizes and modes."""
    modes = ["RGB", "L", "P", "RGBA"]
    for number, name in enumerate(8 * ["big_dog"] + 6 * ["cat"] + 4 * ["Newt"]):
        save(tmp_path / "pets" / name / f"{number}.png", number, (13 + 3 * number, 40), modes[number % 4])
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("not a picture")
    for name in (".hidden/x.png", "cat/.one.png", "cat/.thumbnails/two.png", "cat/deeper/.cache/three.png"):
        save(tmp_path / "pets" / name)
    return tmp_path


def load(config: ImageFolder, root: Path) -> ClassifiedImages:
    return load_image_folder(config, root, root / "ready", lambda line: None)


def test_a_folder_for_each_class_becomes_two_parts_of_every_class(root: Path) -> None:
    images = load(SECTION, root)
    assert images.classes == ("Newt", "big dog", "cat")
    assert Counter(images.test_labels.tolist()) == {0: 1, 1: 2, 2: 2}
    assert Counter(images.train_labels.tolist()) == {0: 3, 1: 6, 2: 4}
    assert images.train_images.shape == (13, 16, 16, 3)
    assert images.train_images.dtype == np.uint8
    assert not images.test_images.flags.writeable


def test_images_are_mapped_from_disk_and_made_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(SECTION, root)
    assert isinstance(first.train_images, np.memmap)
    monkeypatch.setattr("experiments.datasets.image_folder.decode", None)
    again = load(SECTION, root)
    np.testing.assert_array_equal(again.test_images, first.test_images)
    assert again.test_pictures.digest(0) == first.test_pictures.digest(0)


def test_a_killed_preparation_is_made_again(root: Path) -> None:
    expected = np.array(load(SECTION, root).train_images)
    (root / "ready" / "whole.json").unlink()
    np.save(root / "ready" / "train_images.npy", np.zeros((2, 16, 16, 3), dtype=np.uint8))
    np.testing.assert_array_equal(load(SECTION, root).train_images, expected)


@pytest.mark.parametrize("name", ["train_images", "test_digests", "whole.json"])
@pytest.mark.parametrize("content", [None, b"x"])
def test_a_prepared_file_that_was_altered_is_not_used(root: Path, name: str, content: bytes | None) -> None:
    first = load(SECTION, root)
    expected = np.array(first.train_images), [first.test_pictures.digest(at) for at in range(5)]
    path = root / "ready" / (name if "." in name else f"{name}.npy")
    path.write_bytes(bytes(path.stat().st_size) if content is None else content)
    again = load(SECTION, root)
    np.testing.assert_array_equal(again.train_images, expected[0])
    assert [again.test_pictures.digest(at) for at in range(5)] == expected[1]


def test_originals_keep_their_size_and_their_digest_is_that_of_their_pixels(root: Path) -> None:
    images = load(SECTION, root)
    for part in (images.train_pictures, images.test_pictures):
        for position in range(len(part)):
            assert part[position].shape[0] == 40
            assert part.digest(position) == digest(part[position])


def test_labels_belong_to_their_pictures_and_no_file_is_lost_or_on_both_sides(root: Path) -> None:
    images = load(SECTION, root)
    split = split_of(SECTION, root)
    names = sorted(name for name, _ in (*split.train, *split.test))
    assert names == sorted(path.relative_to(root / "pets").as_posix() for path in root.glob("pets/*/[0-9]*"))
    assert files_of(SECTION, root) == (root / "pets", names)
    for (name, label), own, pixels in zip(
        split.train, images.train_labels.tolist(), images.train_images, strict=True
    ):
        assert label == own
        assert split.classes[label] == Path(name).parts[0].replace("_", " ")
        with Image.open(root / "pets" / name) as picture:
            middle = np.asarray(picture.convert("RGB").resize((16, 16)))
        assert abs(float(middle.mean()) - float(pixels.mean())) < 40


def test_the_split_follows_the_seed_alone(root: Path) -> None:
    same, other = split_of(SECTION, root), split_of(SECTION.model_copy(update={"seed": 1}), root)
    assert split_of(SECTION, root).test == same.test
    assert other.test != same.test


def test_adding_a_class_leaves_the_split_of_the_classes_before_it(root: Path) -> None:
    before = {name for name, _ in split_of(SECTION, root).test}
    for number in range(4):
        save(root / "pets" / "zebra" / f"{number}.png", 90 + number)
    after = {name for name, _ in split_of(SECTION, root).test}
    assert before == {name for name in after if not name.startswith("zebra")}


def test_pictures_in_deeper_folders_belong_to_the_class(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/day 2/2.png"):
        save(tmp_path / "pets" / name)
    split = split_of(SECTION.model_copy(update={"test_share": 0.5}), tmp_path)
    assert split.classes == ("a", "b")
    assert sorted(Counter(label for _, label in (*split.train, *split.test)).items()) == [(0, 2), (1, 2)]


def test_parts_by_other_names_are_taken_as_they_are_and_what_is_in_neither_is_told_by_the_run(
    tmp_path: Path,
) -> None:
    for number, place in enumerate(("Train/cat", "Train/dog", "Test/cat", "Test/dog", "extra/cat", "")):
        save(tmp_path / "pets" / place / f"{number}.jpg", number)
    (tmp_path / "pets" / "notes.txt").touch()
    said: list[str] = []
    images = load_image_folder(GIVEN, tmp_path, tmp_path / "ready", said.append)
    assert (images.classes, images.train_labels.tolist()) == (("cat", "dog"), [0, 1])
    assert said[0] == (
        "Not used of pets: files that end in '.txt' (1, such as 'notes.txt'); pictures outside the folders "
        "of the classes (2, such as '5.jpg')."
    )


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (b"caf\xe9", "is not text in UTF-8"),
        (b"b\x07ell", "holds the control character U+0007"),
        (b"_", "holds nothing that can be seen"),
        (b" \xc2\xa0 ", "holds nothing that can be seen"),
        ("\u200b".encode(), "holds nothing that can be seen"),
        ("a\u202egnp".encode(), "holds the mark U+202E, which turns the letters after it round"),
    ],
)
def test_a_class_whose_name_no_result_or_page_can_hold_is_refused_before_the_work(
    root: Path, name: bytes, wrong: str
) -> None:
    place = Path(os.fsdecode(os.fsencode(root / "pets") + b"/" + name))
    for number in range(3):
        save(place / f"{number}.png", 50 + number)
    sentence = f"the name of class {place.name!r} {wrong}: rename its folder"
    assert problems_of(SECTION, root) == [sentence]
    assert sentence in refusal(load, SECTION, root)
    sentence.encode()  # a terminal can show it


ALIKE = [
    (("caf\u00e9", "cafe\u0301"), r"'cafe\u0301' and 'caf\xe9'"),
    (("\ud55c", "\u1112\u1161\u11ab"), r"'\u1112\u1161\u11ab' and '\ud55c'"),
    (("Cat", "cat"), "'Cat' and 'cat'"),
    (("\u00c9lan", "e\u0301lan"), "'e\u0301lan' and '\u00c9lan'"),
    (("cat", "cat\u200b"), r"'cat' and 'cat\u200b'"),
    (("heart", "heart\ufe0f"), r"'heart' and 'heart\ufe0f'"),
    (("big_cat", "big cat"), "'big cat' and 'big_cat'"),
    (("fish", "\ufb01sh"), "'fish' and '\ufb01sh'"),
    (("cat", "\uff43\uff41\uff54"), "'cat' and '\uff43\uff41\uff54'"),
]
"""Names of folders that look alike, and how they are told."""


@pytest.mark.parametrize(("names", "told"), ALIKE)
def test_folders_that_a_person_takes_for_one_class_are_named(
    root: Path, names: tuple[str, str], told: str
) -> None:
    for name in names:
        for number in range(3):
            save(root / "pets" / name / f"{number}.jpg", 50 + number)
    found = [problem for problem in problems_of(SECTION, root) if "differ only" in problem]
    assert [problem.partition(" differ")[0] for problem in found][-1:] == [f"the folders {told}"]
    assert f"the folders {told} differ only" in refusal(load, SECTION, root)


@pytest.mark.parametrize(
    ("names", "told"), [each for each in ALIKE if "xe9" not in each[1] and "ud55c" not in each[1]]
)
def test_a_class_that_training_and_test_write_otherwise_is_told_in_one_sentence(
    tmp_path: Path, names: tuple[str, str], told: str
) -> None:
    for place in (f"train/{names[0]}", f"test/{names[1]}", "train/dog", "test/dog"):
        save(tmp_path / "pets" / place / "1.png")
    (problem,) = problems_of(GIVEN, tmp_path)
    assert problem.startswith(f"the folders {told} differ only by case")


@pytest.mark.parametrize("names", [each for each, told in ALIKE if "xe9" in told or "ud55c" in told])
def test_a_name_that_training_and_test_encode_otherwise_is_one_class(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for number, place in enumerate((f"train/{names[1]}", f"test/{names[0]}", "train/dog", "test/dog")):
        save(tmp_path / "pets" / place / "1.png", number)
    images = load(GIVEN, tmp_path)
    assert images.classes == tuple(sorted(("dog", names[0])))
    assert images.test_labels.tolist() == [0, 1]


def test_classes_that_differ_by_a_sign_that_is_seen_are_classes(tmp_path: Path) -> None:
    england, scotland = (
        f"\U0001f3f4{''.join(chr(0xE0000 + ord(sign)) for sign in region)}\U000e007f"
        for region in ("gbeng", "gbsct")
    )
    for number, name in enumerate(
        2 * ["Ma\u00dfe", "Masse", "resume", "r\u00e9sum\u00e9", england, scotland, "C", "C++"]
    ):
        save(tmp_path / "pets" / name / f"{number}.png", number)
    assert problems_of(SECTION, tmp_path) == []


@pytest.mark.parametrize("test", ["test", "val", "validation"])
def test_a_folder_with_its_own_parts_is_taken_as_it_is(tmp_path: Path, test: str) -> None:
    for number, place in enumerate(["train/a", "train/b", "train/a", "train/b", f"{test}/b", f"{test}/a"]):
        save(tmp_path / "pets" / place / f"{number}.jpg", number)
    images = load(GIVEN, tmp_path)
    assert (len(images.train_images), images.test_labels.tolist()) == (4, [0, 1])


def test_everything_that_is_wrong_with_a_folder_is_said_at_once(tmp_path: Path) -> None:
    for name in ("train/a", "train/b_c", "train/b c", "test/a", "test/d"):
        save(tmp_path / "pets" / name / "1.png")
    for told in (" | ".join(problems_of(GIVEN, tmp_path)), refusal(load, GIVEN, tmp_path)):
        for part in (
            "'b_c' has no image in test/",
            "'d' has no image in train/",
            "'b c' and 'b_c' differ only",
        ):
            assert part in told


@pytest.mark.parametrize(
    ("files", "config", "sentence"),
    [
        ([], SECTION, "pets, which images.folder names"),
        (["a/1.png", "a/2.png"], SECTION, "1 folders with images"),
        (["a/1.png", "a/2.png", "b/1.png"], SECTION, "class 'b' has 1 images"),
        (["a/1.png", "a/2.png", "b/1.png", "b/2.png"], GIVEN, "images.test_share and images.seed must say"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, files: list[str], config: ImageFolder, sentence: str
) -> None:
    for number, name in enumerate(files):
        save(tmp_path / "pets" / name, number)
    assert sentence in refusal(load, config, tmp_path)


def test_every_damaged_picture_is_named_and_nothing_is_kept(root: Path) -> None:
    names = [name for name, _ in split_of(SECTION, root).train[:3]]
    for name in names:
        (root / "pets" / name).write_bytes(b"\x89PNG damaged")
    sentence = refusal(load, SECTION, root)
    assert all(name in sentence for name in names)
    assert not (root / "ready" / "whole.json").exists()


@given(st.integers(2, 40), st.floats(0.01, 0.99), st.integers(0, 9))
def test_every_class_is_on_both_sides_whatever_the_share(count: int, share: float, seed: int) -> None:
    for label in (0, 1):
        tested = draw_test_split(count, share, seed, label)
        assert 1 <= tested.sum() <= count - 1
        assert abs(tested.sum() - share * count) <= 1
