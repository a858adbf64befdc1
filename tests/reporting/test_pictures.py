import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.datasets.pictures import as_png
from reporting.enlarging import damage, enlarged_smoothly, write_enlarged
from reporting.pictures import width


def drawn(folder: Path, across: int, down: int) -> Path:
    file = folder / f"{across}x{down}.png"
    file.write_bytes(as_png(np.zeros((down, across, 3), dtype=np.uint8)))
    return file


@pytest.mark.parametrize(
    ("across", "down", "expected"),
    [(32, 32, 100), (400, 100, 160), (100, 400, 40), (1000, 100, 160), (100, 1000, 16), (1, 1, 100)],
)
def test_a_photo_of_any_shape_is_about_as_large_as_a_square(
    across: int, down: int, expected: int, tmp_path: Path
) -> None:
    assert width(drawn(tmp_path, across, down), 100) == pytest.approx(expected, abs=1)


@given(st.integers(1, 300), st.integers(1, 300))
def test_no_photo_is_much_wider_or_higher_than_the_square_and_none_vanishes(across: int, down: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        wide = width(drawn(Path(folder), across, down), 100)
    assert 1 <= wide <= 160
    assert wide * down / across <= 161 + down / across  # rounding up to one pixel in width


def noise(down: int, across: int) -> np.ndarray:
    return np.random.default_rng(down * across).integers(0, 256, (down, across, 3), dtype=np.uint8)


@pytest.mark.parametrize(("down", "across"), [(32, 32), (20, 31), (96, 64)])
def test_a_small_original_is_enlarged_without_steps_to_the_same_size(down: int, across: int) -> None:
    png = as_png(noise(down, across))
    smooth = enlarged_smoothly(png)
    assert smooth is not None
    with Image.open(io.BytesIO(png)) as crisp, Image.open(io.BytesIO(smooth)) as picture:
        assert picture.size == crisp.size
        steps = np.abs(np.diff(np.asarray(crisp.convert("RGB")).astype(int), axis=1))
        smoothed = np.abs(np.diff(np.asarray(picture).astype(int), axis=1))
    assert smoothed.max() < 0.7 * steps.max()
    assert (steps == 0).mean() > 0.4 > (smoothed == 0).mean()


def test_a_large_photo_stays_what_it_is() -> None:
    assert enlarged_smoothly(as_png(noise(300, 400))) is None


def test_what_is_enlarged_already_is_not_made_again_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    small, large = tmp_path / "small-0a.png", tmp_path / "large-0b.png"
    small.write_bytes(as_png(noise(32, 32)))
    large.write_bytes(as_png(noise(300, 400)))
    write_enlarged([small, large], tmp_path / "made")
    made = tmp_path / "made" / "small-0a.jpg"
    assert list((tmp_path / "made").iterdir()) == [made]
    before = made.stat().st_mtime_ns
    write_enlarged([small, large], tmp_path / "made")
    assert made.stat().st_mtime_ns == before
    write_enlarged([large], tmp_path / "made")
    assert not made.exists()


@pytest.mark.parametrize("kept", [0, 20, -40])
def test_a_truncated_picture_is_told_to_be_damaged_and_never_enlarged(kept: int, tmp_path: Path) -> None:
    picture = tmp_path / "photo-0a.png"
    picture.write_bytes(as_png(noise(32, 32)))
    assert damage(picture) == ""
    picture.write_bytes(picture.read_bytes()[:kept])
    assert damage(picture)
    write_enlarged([picture], tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_an_enlarged_picture_that_was_damaged_is_made_again(tmp_path: Path) -> None:
    picture, made = tmp_path / "photo-0a.png", tmp_path / "made" / "photo-0a.jpg"
    picture.write_bytes(as_png(noise(32, 32)))
    write_enlarged([picture], made.parent)
    whole = made.read_bytes()
    made.write_bytes(whole[:-60])
    write_enlarged([picture], made.parent)
    assert made.read_bytes() == whole
