"""Pictures in order, of which no more than one needs to be in memory."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from PIL import Image, ImageOps

from pipeline.errors import reason

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""Endings of the files that are taken for pictures in a folder; what else lies there is left alone."""

SIDE = 256
"""The longer side of a picture on a page in pixels: at an inch and a half on paper these are 170 an inch."""


@dataclass(frozen=True)
class Pictures:
    """Pictures in a fixed order, each of its own size, of which none is read before it is asked for.

    `read` returns the one of `count` at a position, uint8 of shape (H, W, 3). `digests`, (N, 32), are the
    hashes of their pixels where these are known from an earlier reading.
    """

    read: Callable[[int], np.ndarray]
    count: int
    digests: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return self.count

    def __getitem__(self, position: int, /) -> np.ndarray:
        """Read a picture, uint8 of shape (H, W, 3)."""
        return self.read(position)

    def digest(self, position: int, /) -> str:
        """Return the `digest` of a picture's pixels."""
        if self.digests is not None:
            return bytes(self.digests[position]).hex()
        return digest(self[position])

    def at(self, positions: np.ndarray) -> "Pictures":
        """Return the pictures at positions, int64 of shape (M,), in that order."""
        digests = None if self.digests is None else self.digests[positions]
        return Pictures(lambda position: self[int(positions[position])], len(positions), digests)


def is_picture(name: PurePath) -> bool:
    """Tell by its ending whether a file is a picture; hidden files, and those in hidden folders, are none."""
    return name.suffix.lower() in ENDINGS and not any(part.startswith(".") for part in name.parts)


def pictures_in(folder: Path) -> list[str]:
    """Return the names of all pictures in a folder and in those inside it, with their path there, sorted."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name.as_posix() for name in names if is_picture(name))


def digest(pixels: np.ndarray) -> str:
    """Return the SHA-256 of an array's shape and content: bytes alone do not tell 2 x 8 from 4 x 4."""
    header = f"{pixels.shape} {pixels.dtype} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def decode(file: Path | bytes) -> np.ndarray:
    """Return the picture in a file, or in the content of one: RGB, upright, uint8 (H, W, 3), read-only.

    Raises:
        ValueError: if it cannot be decoded; the text says why.
    """
    try:
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as picture:
            pixels = np.array(_rgb(ImageOps.exif_transpose(picture)))
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise ValueError(f"it cannot be decoded ({reason(error)})") from error
    pixels.setflags(write=False)
    return pixels


def _rgb(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB; Pillow alone cuts off 16-bit greys and stumbles over transparent palettes."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    has_clear_colour = "transparency" in picture.info
    return (picture.convert("RGBA") if has_clear_colour else picture).convert("RGB")


def as_png(pixels: np.ndarray) -> bytes:
    """Return a PNG of a uint8 picture (H, W, 3) whose longer side is about `SIDE` pixels.

    A smaller picture is enlarged by a whole factor without smoothing, so that it stays crisp and shows no
    more than there is; a larger one is reduced.
    """
    image = Image.fromarray(pixels)
    factor = SIDE // max(image.size)
    if factor >= 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    else:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    return content.getvalue()
