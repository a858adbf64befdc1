"""Decoding a picture, and refusing one of which the file lacks a part.

Pillow leaves that part black or grey, unsaid. Whether one is lacking is told by a second decoding, for
the few pictures that look like it.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

_UNWRITTEN = 77
"""The pixels of a PNG before they are decoded: what is that afterwards may never have been decoded."""

_MIDDLE = {127, 128}
"""What a JPEG's decoder takes for values of which it has no data."""
_END = b"\xff\xd9"
"""What ends a JPEG."""
_ARITHMETIC = (b"\xff\xc9", b"\xff\xca")
"""What frames of a JPEG with arithmetic codes begin with: their data may rightly lack zeros at the end."""
_MORE = b"\0" + bytes(k * k * 89 % 255 for k in range(1, 256))
"""Data for a JPEG's last scan, as good as random: a decoder passes over them unless it still lacked some."""

# Tags of TIFF.
_WIDTH, _HEIGHT, _SAMPLES, _PLANES = 256, 257, 277, 284
_STRIPS, _STRIP_HEIGHT = 273, 278
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 322, 323, 324
_SEPARATE = 2
"""What `_PLANES` can say: each sample has strips or tiles of its own."""

Open = Callable[[Path | bytes], ImageFile.ImageFile]
"""Opens a picture without decoding it."""


def load(picture: ImageFile.ImageFile, file: Path | bytes, open_it: Open) -> None:
    """Decode a picture in place, that `open_it` opened from a file or the content of one.

    Raises:
        ValueError: if the file lacks a part of it. Not told are a progressive JPEG that is less sharp than
            was meant, and one with arithmetic codes.
    """
    declared = picture.size  # decoding may turn it
    if picture.format == "PNG":
        is_short = _load_png(picture) and _decodes_to_another(file, picture, open_it)
    elif picture.format == "TIFF" and _lacks_strips(picture):
        is_short = True
    else:
        picture.load()
        is_short = picture.format in ("JPEG", "MPO") and _is_short_jpeg(picture, file, open_it)
    if is_short:
        width, height = declared
        raise ValueError(f"it ends early: it holds less than the {width} x {height} pixels that it declares")


def _load_png(picture: ImageFile.ImageFile) -> bool:
    """Decode a PNG, and tell whether pixels that it holds last are as they were before.

    The last are in an odd column of the last row, or of the last but one if it is interlaced.
    """
    bands = len(picture.getbands())
    canvas = Image.new(picture.mode, picture.size, (_UNWRITTEN,) * bands if bands > 1 else _UNWRITTEN)
    column = max(picture.width // 2 * 2 - 1, 0)
    last = [(column, max(picture.height - back, 0)) for back in (1, 2)]
    before = [canvas.getpixel(place) for place in last]
    picture.im = canvas.im
    picture.load()
    return any(picture.getpixel(place) == value for place, value in zip(last, before, strict=True))


def _is_short_jpeg(picture: Image.Image, file: Path | bytes, open_it: Open) -> bool:
    """Tell whether a JPEG's data end early, though what marks their end is there: the corner is then grey."""
    corner = picture.getpixel((picture.width - 1, picture.height - 1))
    if not _MIDDLE.issuperset(corner if isinstance(corner, tuple) else (corner,)):
        return False
    jpeg = file if isinstance(file, bytes) else file.read_bytes()
    end = jpeg.rfind(_END)
    if end < 0 or any(mark in jpeg for mark in _ARITHMETIC):
        return False
    return _decodes_to_another(jpeg[:end] + _MORE + jpeg[end:], picture, open_it)


def _decodes_to_another(file: Path | bytes, picture: Image.Image, open_it: Open) -> bool:
    """Tell whether a file, decoded as Pillow does, is another picture."""
    with open_it(file) as again:
        again.load()
        return again.tobytes() != picture.tobytes()


def _lacks_strips(picture: Image.Image) -> bool:
    """Tell whether a TIFF names fewer strips or tiles than its size needs."""
    tags = getattr(picture, "tag_v2", {})
    width, height = tags[_WIDTH], tags[_HEIGHT]
    if _STRIPS in tags:
        places, part_width, part_height = tags[_STRIPS], width, tags.get(_STRIP_HEIGHT) or height
    elif _TILES in tags:
        places, part_width, part_height = tags[_TILES], tags[_TILE_WIDTH], tags[_TILE_HEIGHT]
    else:
        return False
    planes = tags.get(_SAMPLES, 1) if tags.get(_PLANES) == _SEPARATE else 1
    return np.count_nonzero(places) < math.ceil(width / part_width) * math.ceil(height / part_height) * planes
