"""Small photos made smooth for a page, and pictures that no page can show."""

import io
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from pipeline.errors import reason
from pipeline.files import write_whole

_QUALITY = 90
"""Of a JPEG: a smooth picture is many times as large as a PNG."""


def enlarged_smoothly(png: bytes) -> bytes | None:
    """Return a small original, of which a PNG repeats each pixel, enlarged without steps, as a JPEG.

    A result keeps it crisp, which shows no more than there is; a person sees more in it without the squares.
    Of any other picture there is none.
    """
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    factor = _repeated(pixels)
    if factor == 1:
        return None
    original = Image.fromarray(pixels[::factor, ::factor])
    content = io.BytesIO()
    size = (pixels.shape[1], pixels.shape[0])
    original.resize(size, Image.Resampling.BICUBIC).save(content, format="JPEG", quality=_QUALITY)
    return content.getvalue()


def damage(file: Path) -> str:
    """Return why a picture cannot be shown, as a library says it; nothing if it can."""
    try:
        if file.suffix.lower() == ".svg":
            ElementTree.parse(file)
        else:
            with Image.open(file, formats=["PNG"] if file.suffix.lower() == ".png" else ["JPEG"]) as picture:
                picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return reason(error)
    return ""


def _repeated(pixels: np.ndarray) -> int:
    """Return how many times each pixel of an original is repeated in both directions."""
    down, across, _ = pixels.shape
    for factor in range(min(down, across), 1, -1):
        if down % factor or across % factor:
            continue
        small = pixels[::factor, ::factor]
        if min(small.shape[:2]) > 1 and np.array_equal(small.repeat(factor, 0).repeat(factor, 1), pixels):
            return factor
    return 1


def write_enlarged(pictures: Iterable[Path], folder: Path) -> None:
    """Write each picture that can be enlarged smoothly into `folder`, and remove what belongs to none.

    The name of a picture holds a hash of its content, so that what is there already need not be made again
    unless it is damaged. A picture that is damaged itself is left out, as it is on the pages.
    """
    made = {picture: folder / f"{picture.stem}.jpg" for picture in pictures}
    for picture, target in made.items():
        if not damage(target) or damage(picture):
            continue
        if (content := enlarged_smoothly(picture.read_bytes())) is not None:
            write_whole(target, content)
    for other in set(folder.glob("*.jpg")) - set(made.values()):
        other.unlink()
