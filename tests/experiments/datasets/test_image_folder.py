from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from experiments.config.images import ImageFolder
from experiments.datasets.image_folder import files_of, load_image_folder, problems_of, split_of
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.pictures import digest
from pipeline.errors import UserError

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
    number = 0
    modes = ["RGB", "L", "P", "RGBA"]
    for name, count in (("big_dog", 8), ("cat", 6), ("Newt", 4)):
        for _ in range(count):
            number += 1
            save(tmp_path / "pets" / name / f"{number}.png", number, (10 + 3 * number, 40), modes[number % 4])
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("not a picture")
    (tmp_path / "pets" / ".hidden").mkdir()
    save(tmp_path / "pets" / ".hidden" / "x.png")
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


def test_a_killed_preparation_is_made_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(SECTION, root)
    expected = np.array(whole.train_images)
    (root / "ready" / "whole.json").unlink()
    np.save(root / "ready" / "train_images.npy", np.zeros((2, 16, 16, 3), dtype=np.uint8))
    np.testing.assert_array_equal(load(SECTION, root).train_images, expected)


def test_originals_keep_their_size_and_their_digest_is_that_of_their_pixels(root: Path) -> None:
    images = load(SECTION, root)
    for part in (images.train_pictures, images.test_pictures):
        for position in range(len(part)):
            assert part[position].shape[0] == 40
            assert part.digest(position) == digest(part[position])


def test_labels_belong_to_their_pictures(root: Path) -> None:
    images = load(SECTION, root)
    split = split_of(SECTION, root)
    for (name, label), own, pixels in zip(
        split.train, images.train_labels.tolist(), images.train_images, strict=True
    ):
        assert label == own
        assert split.classes[label] == Path(name).parts[0].replace("_", " ")
        with Image.open(root / "pets" / name) as picture:
            middle = np.asarray(picture.convert("RGB").resize((16, 16)))
        assert abs(float(middle.mean()) - float(pixels.mean())) < 40


def test_no_file_is_on_both_sides_and_none_is_lost(root: Path) -> None:
    split = split_of(SECTION, root)
    found = files_of(SECTION, root)
    assert found is not None
    names = found[1]
    assert sorted(name for name, _ in (*split.train, *split.test)) == names
    assert len(set(names)) == 18
    assert not any("notes" in name or "hidden" in name for name in names)


def test_the_split_follows_the_seed_alone(root: Path) -> None:
    same, other = split_of(SECTION, root), split_of(SECTION.model_copy(update={"seed": 1}), root)
    assert split_of(SECTION, root).test.names == same.test.names
    assert other.test.names != same.test.names


def test_adding_a_class_leaves_the_split_of_the_classes_before_it(root: Path) -> None:
    before = {name for name, _ in split_of(SECTION, root).test}
    for number in range(4):
        save(root / "pets" / "zebra" / f"{number}.png", 90 + number)
    after = {name for name, _ in split_of(SECTION, root).test}
    assert before == {name for name in after if not name.startswith("zebra")}


@pytest.mark.parametrize("test", ["test", "val", "validation"])
def test_a_folder_with_its_own_parts_is_taken_as_it_is(tmp_path: Path, test: str) -> None:
    for number, place in enumerate(
        [f"train/{name}" for name in "ab"] * 2 + [f"{test}/{name}" for name in "ba"]
    ):
        save(tmp_path / "pets" / place / f"{number}.jpg", number)
    images = load(GIVEN, tmp_path)
    assert (len(images.train_images), images.test_labels.tolist()) == (4, [0, 1])


def test_classes_called_train_and_test_are_classes_where_pictures_lie_in_them(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "pets" / ("train" if number % 2 else "test") / f"{number}.png", number)
    assert split_of(SECTION, tmp_path).classes == ("test", "train")


def test_pictures_in_deeper_folders_belong_to_the_class(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "pets" / ("a" if number % 2 else "b") / f"day {number}" / "1.png", number)
    assert len(split_of(SECTION, tmp_path).train) == 2


def test_hidden_files_and_what_lies_in_hidden_folders_are_no_pictures(root: Path) -> None:
    before = files_of(SECTION, root)
    for name in (".one.png", ".thumbnails/two.png", "deeper/.cache/three.png"):
        save(root / "pets" / "cat" / name)
    assert files_of(SECTION, root) == before


def test_everything_that_is_wrong_with_a_folder_is_said_at_once(tmp_path: Path) -> None:
    save(tmp_path / "pets" / "train" / "a" / "1.png")
    save(tmp_path / "pets" / "train" / "b_c" / "1.png")
    save(tmp_path / "pets" / "train" / "b c" / "1.png")
    save(tmp_path / "pets" / "test" / "a" / "1.png")
    save(tmp_path / "pets" / "test" / "d" / "1.png")
    problems = " | ".join(problems_of(GIVEN, tmp_path))
    for part in ("'b_c' has no image in test/", "'d' has no image in train/", "the same name"):
        assert part in problems
    with pytest.raises(UserError, match=r"'b c' has no image in test/; .*same name"):
        load(GIVEN, tmp_path)


@pytest.mark.parametrize(
    ("files", "config", "sentence"),
    [
        ([], SECTION, "no folder .*pets, which images.folder names"),
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
    with pytest.raises(UserError, match=sentence):
        load(config, tmp_path)


def test_every_damaged_picture_is_named_and_nothing_is_kept(root: Path) -> None:
    names = split_of(SECTION, root).train.names[:3]
    for name in names:
        (root / "pets" / name).write_bytes(b"\x89PNG damaged")
    with pytest.raises(UserError) as refused:
        load(SECTION, root)
    assert all(name in str(refused.value) for name in names)
    assert not (root / "ready" / "whole.json").exists()


@given(st.integers(2, 40), st.floats(0.01, 0.99), st.integers(0, 9))
@settings(max_examples=40)
def test_every_class_is_on_both_sides_whatever_the_share(count: int, share: float, seed: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        for name in "ab":
            (Path(place) / name).mkdir()
            for number in range(count):
                (Path(place) / name / f"{number}.png").touch()
        config = ImageFolder(kind="folder", folder=place, size=16, test_share=share, seed=seed)
        split = split_of(config, Path())
        for part in (split.train, split.test):
            assert {label for _, label in part} == {0, 1}
