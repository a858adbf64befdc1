from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.pictures import as_png
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
