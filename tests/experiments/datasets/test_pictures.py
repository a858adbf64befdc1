import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.datasets.pictures import decode


def encoded(picture: Image.Image, ending: str = "png", **options: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, Image.registered_extensions()[f".{ending}"], **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("mode", "ending", "colour", "expected"),
    [
        ("L", "png", 200, [200, 200, 200]),
        ("LA", "png", (200, 255), [200, 200, 200]),
        ("1", "png", 1, [255, 255, 255]),
        ("P", "gif", 0, [0, 0, 0]),
        ("RGBA", "png", (10, 200, 30, 255), [10, 200, 30]),
        ("CMYK", "jpg", (0, 255, 255, 0), [255, 0, 0]),
        ("CMYK", "tif", (0, 255, 255, 0), [255, 0, 0]),
        ("RGB", "webp", (0, 0, 0), [0, 0, 0]),
        ("I;16", "png", 0x8040, [128, 128, 128]),
    ],
)
def test_a_picture_of_any_mode_in_a_file_or_in_memory_becomes_rgb_and_read_only(
    tmp_path: Path, mode: str, ending: str, colour: Any, expected: list[int]
) -> None:
    content = encoded(Image.new(mode, (7, 5), colour), ending)
    path = tmp_path / f"odd.{ending}"
    path.write_bytes(content)
    for pixels in (decode(content), decode(path)):
        assert (pixels.shape, pixels.dtype, pixels.flags.writeable) == ((5, 7, 3), np.uint8, False)
        assert np.abs(pixels[2, 3].astype(int) - expected).max() <= 2


def test_a_palette_with_a_half_clear_colour_keeps_the_colours_that_can_be_seen() -> None:
    picture = Image.new("P", (4, 3), 1)
    picture.putpalette([0, 0, 0, 30, 60, 90])
    assert decode(encoded(picture, transparency=b"\x80\xff"))[1, 1].tolist() == [30, 60, 90]


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_photo_taken_with_a_turned_camera_is_upright(ending: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert decode(encoded(Image.new("RGB", (6, 4)), ending, exif=turned)).shape == (6, 4, 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"GIF89a", b"\x89PNG\r\n\x1a\n damaged", encoded(Image.linear_gradient("L"))[:60]],
)
def test_what_cannot_be_decoded_says_so(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it cannot be decoded \(.+\)$"):
        decode(content)
