"""Pictures in order, of which no more than one needs to be in memory."""

import hashlib
import importlib
import importlib.util
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from experiments.datasets.whole_pictures import load
from pipeline.errors import reason

FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif", ".hif"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpx"),
    "QOI": (".qoi",),
    "PCX": (".pcx",),
    "SGI": (".sgi",),
    "TGA": (".tga",),
}
"""The formats that are read, as Pillow calls them, with their endings: raster formats, which run nothing.

Pillow knows others, among them PostScript, which it has run by Ghostscript whatever the file is called.
"""
ENDINGS = frozenset(ending for endings in FORMATS.values() for ending in endings)
"""Endings of the files that are taken for pictures in a folder, whether or not they can be decoded here."""
MOST_PIXELS = 64_000_000
"""Of a picture: a small file may hold many, each of which takes eight bytes or more while it is decoded."""

_UNTOLD = "its values are {}, whose range cannot be told: save it with 8 or 16 bits a value"
_MOST = f"the {MOST_PIXELS // 1_000_000} million that are read"
_PNG = b"\x89PNG\r\n\x1a\n"
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MAGIC = {
    b"\xff\xd8\xff": "a JPEG",
    _PNG: "a PNG",
    b"GIF8": "a GIF",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"II+\0": "a TIFF",
    b"MM\0+": "a TIFF",
}
"""What a file is by how it starts, even where Pillow does not know it for a picture."""
_BITS_PER_SAMPLE, _PHOTOMETRIC, _EXTRA_SAMPLES, _SAMPLE_FORMAT = 258, 262, 338, 339
"""Tags of TIFF."""
_WHITE_IS_ZERO = 0
"""What the second can say; Pillow sees to it where values have 8 bits or less."""
_SIGNED = 2
"""What the last can say; Pillow takes such bytes for unsigned ones."""
_NARROW = {"L;2": 2, "L;4": 4}
"""The bits of a value in a PNG by what Pillow calls their layout."""
_WITHOUT_ALPHA = ("BMP", "DIB", "TGA")
"""Formats whose fourth byte many programs leave at 0 where it means nothing."""

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


def digest(pixels: np.ndarray) -> str:
    """Return the SHA-256 of an array's shape and content: bytes alone do not tell 2 x 8 from 4 x 4."""
    header = f"{pixels.shape} {pixels.dtype} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels).tobytes()).hexdigest()


class Unfit(ValueError):
    """A picture that Pillow can decode, but that is not to be used; the text says why, and what to do."""


@cache
def formats() -> tuple[str, ...]:
    """Return which of `FORMATS` can be read here: HEIF, as phones write, where pillow-heif is installed."""
    if importlib.util.find_spec("pillow_heif"):
        importlib.import_module("pillow_heif").register_heif_opener()
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def raster_formats_alone() -> Iterator[None]:
    """Let libraries that open pictures by themselves open those of `FORMATS` only."""
    allowed = formats()  # first, since Pillow learns its formats by it
    known = list(Image.ID)
    Image.ID[:] = [name for name in known if name in allowed]
    try:
        yield
    finally:
        Image.ID[:] = known


def decode(file: Path | bytes) -> np.ndarray:
    """Return the picture in a file, or in the content of one: RGB, upright, uint8 (H, W, 3), read-only.

    Values of 16 bits are scaled to 8 by the range that their format has. What a PNG says beside its picture
    may be damaged.

    Raises:
        ValueError: if it cannot be decoded, lacks a part, has more than `MOST_PIXELS`, or values whose range
            cannot be told; the text says why.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow's name no file
            pixels = _decoded(file)
    except Unfit:
        raise
    except UnidentifiedImageError:
        raise ValueError(f"it cannot be decoded ({_what_it_is(file)})") from None
    except Exception as error:  # whatever a damaged file makes Pillow raise
        raise ValueError(f"it cannot be decoded ({reason(error)})") from error
    pixels.setflags(write=False)
    return pixels


def size_of(file: Path) -> tuple[int, int]:
    """Return the width and height of a picture in pixels, as they are stored, without decoding it.

    Raises:
        ValueError: if it is none, or has more than `MOST_PIXELS`.
        OSError: if it cannot be read.
    """
    with warnings.catch_warnings(action="ignore"), _opened(file) as picture:
        return picture.size


def rgb(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, on white where it is transparent, as it looks on a page.

    Pillow alone cuts off wide greys, and takes what nobody sees behind a clear pixel for its colour. A PNG or
    WebP that is clear everywhere is white; a BMP or TGA has then no transparency, as such bytes mean nothing.

    Raises:
        Unfit: if the range of its values cannot be told: each scale would blacken or whiten some pictures.
    """
    bits, tags = _bits(picture), getattr(picture, "tag_v2", {})
    if bits > 8:
        wide = np.asarray(picture)
        values = (wide >> (bits - 8)).astype(np.uint8)
        if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            values = 255 - values
        is_clear = wide == picture.info.get("transparency", -1)
        return Image.fromarray(np.where(is_clear, np.uint8(255), values)).convert("RGB")
    is_unknown = picture.format == "TIFF" and picture.mode == "RGBA" and _EXTRA_SAMPLES not in tags
    if is_unknown or not picture.has_transparency_data:  # of a fourth value a TIFF need not say what it is
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    if picture.format in _WITHOUT_ALPHA and not seen.getchannel("A").getbbox():
        return picture.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def _decoded(file: Path | bytes) -> np.ndarray:
    try:
        return _read(file)
    except (SyntaxError, ValueError, OSError):
        content = file if isinstance(file, bytes) else file.read_bytes()
        if not content.startswith(_PNG):
            raise
    return _read(_critical_chunks(content))


def _read(file: Path | bytes) -> np.ndarray:
    with _opened(file) as picture:
        load(picture, file, _opened)
        return np.array(_upright(picture))


def _opened(file: Path | bytes) -> ImageFile.ImageFile:
    try:
        picture = Image.open(io.BytesIO(file) if isinstance(file, bytes) else file, formats=formats())
    except Image.DecompressionBombError:
        raise Unfit(f"it has more pixels than {_MOST}: make it smaller") from None
    if picture.width * picture.height > MOST_PIXELS:
        picture.close()
        raise Unfit(
            f"it has {picture.width:,} x {picture.height:,} pixels, more than {_MOST}: make it smaller"
        )
    _bring_to_8_bits(picture)
    return picture


def _bring_to_8_bits(picture: ImageFile.ImageFile) -> None:
    """Scale the colour that a PNG says is clear, as Pillow will scale all colours but that."""
    clear = picture.info.get("transparency")
    layout = picture.tile[0].args if picture.format == "PNG" and picture.tile else None
    if layout in _NARROW and isinstance(clear, int):
        picture.info["transparency"] = clear * 255 // (2 ** _NARROW[layout] - 1)
    elif layout == "RGB;16B" and isinstance(clear, tuple):
        picture.info["transparency"] = tuple(value >> 8 for value in clear)


def _upright(picture: Image.Image) -> Image.Image:
    """Return a picture in RGB, turned as the camera was held, where what says so can be read."""
    with suppress(Exception):  # whatever damaged notes of a camera make Pillow raise: the picture is good
        ImageOps.exif_transpose(picture, in_place=True)
    return rgb(picture)


def _bits(picture: Image.Image) -> int:
    """Return of how many bits the values of a picture make use, 8 where Pillow sees to it."""
    if _SIGNED in np.ravel(getattr(picture, "tag_v2", {}).get(_SAMPLE_FORMAT, ())):
        raise Unfit(_UNTOLD.format("signed integers"))
    if picture.mode.startswith("I;16"):
        declared = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, 16)
        return declared[0] if isinstance(declared, tuple) else declared
    if picture.mode == "I" and picture.format in ("PPM", "PNG"):
        return 16
    if picture.mode in ("I", "F"):
        raise Unfit(_UNTOLD.format("floating-point numbers" if picture.mode == "F" else "32-bit integers"))
    return 8


def _critical_chunks(png: bytes) -> bytes:
    """Return a PNG without what may be left out of it, as notes may be damaged.

    Its transparency is kept, and how the camera was held, if that is whole.
    """
    kept, at = [_PNG], len(_PNG)
    while at + 8 <= len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        end = at + 12 + length
        is_whole = png[end - 4 : end] == struct.pack(">I", zlib.crc32(png[at + 4 : end - 4]))
        if kind[:1].isupper() or kind == b"tRNS" or (kind == b"eXIf" and is_whole):
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def _what_it_is(file: Path | bytes) -> str:
    """Say of what Pillow does not know, by its first bytes, what it is."""
    with io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as content:
        head = content.read(32)
    if not head:
        return "it is empty"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "it is HEIC, which is read once pillow-heif is installed: pip install pillow-heif"
    for start, kind in _MAGIC.items():
        if head.startswith(start):
            return f"it is {kind} that is damaged or of a kind that cannot be read: save it as PNG"
    return f"it is none of {', '.join(formats())}"


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
