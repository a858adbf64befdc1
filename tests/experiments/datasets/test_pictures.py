import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.datasets.pictures import ENDINGS, decode, formats, raster_formats_alone, size_of
from tests.support.copies import ROOT


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
        ("RGBA", "png", (10, 200, 30, 0), [255, 255, 255]),
        ("RGBA", "webp", (0, 0, 0, 51), [204, 204, 204]),
        ("LA", "png", (0, 51), [204, 204, 204]),
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
    assert decode(encoded(picture, transparency=b"\xff\x00"))[1, 1].tolist() == [255, 255, 255]


def test_of_wide_greys_in_a_tiff_either_end_can_be_white() -> None:
    content = bytearray(encoded(Image.new("I;16", (4, 3), 0x2040), "tif"))
    entry = content.index(struct.pack("<HHI", 262, 3, 1))
    assert content[entry + 8] == 1, "black is zero"
    assert decode(bytes(content))[1, 1].tolist() == [32, 32, 32]
    content[entry + 8] = 0
    assert decode(bytes(content))[1, 1].tolist() == [223, 223, 223]


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


def tiff(photometric: int, samples: int, content: bytes, tags: dict[int, int]) -> bytes:
    """A TIFF of 4 x 3 pixels with 8 bits a sample that says no more than is asked for, as `tags`."""
    picture = Image.new("CMYK" if samples == 4 else "L", (4, 3))
    picture.putdata([tuple(content[at : at + 4]) for at in range(0, 48, 4)] if samples == 4 else content)
    written = bytearray(encoded(picture, "tif", tiffinfo=tags))
    entry = written.index(struct.pack("<HHI", 262, 3, 1))
    written[entry + 8] = photometric
    return bytes(written)


def test_a_fourth_value_of_which_a_tiff_says_nothing_hides_no_picture() -> None:
    assert decode(tiff(2, 4, bytes([10, 200, 30, 0] * 12), {}))[1, 1].tolist() == [10, 200, 30]
    saying = encoded(Image.new("RGBA", (4, 3), (10, 200, 30, 0)), "tif")
    assert decode(saying)[1, 1].tolist() == [255, 255, 255]


RAMP = np.linspace(0, 65535, 256).reshape(16, 16)
"""All of what 16 bits can hold, which 8 bits hold as 0 to 255."""


def grey(values: np.ndarray, ending: str) -> bytes:
    return encoded(Image.fromarray(values), ending)


@pytest.mark.parametrize(
    "content",
    [
        grey(RAMP.astype(np.uint16), "png"),
        grey(RAMP.astype(np.uint16), "tif"),
        b"P5 16 16 65535\n" + RAMP.astype(">u2").tobytes(),
        b"P5 16 16 4095\n" + (RAMP // 16).astype(">u2").tobytes(),
    ],
    ids=["PNG", "TIFF", "PGM of 16 bits", "PGM of 12 bits"],
)
def test_wide_greys_are_scaled_by_the_range_of_their_format(content: bytes) -> None:
    pixels = decode(content)[..., 0].ravel().astype(int)
    assert np.abs(pixels - np.arange(256)).max() <= 1


REFUSED = {
    "32-bit integers": (grey(RAMP.astype(np.int32), "tif"), "its values are signed integers"),
    "signed bytes": (tiff(1, 1, bytes(12), {339: 2}), "its values are signed integers"),
    "floats up to 1": (grey((RAMP / 65535).astype(np.float32), "tif"), "its values are floating-point"),
    "floats up to 255": (grey((RAMP / 257).astype(np.float32), "tif"), "its values are floating-point"),
    "13,000 pixels square": (
        encoded(Image.new("1", (13_000, 13_000))),
        r"it has 13,000 x 13,000 pixels, more than the 64 million that are read: make it smaller$",
    ),
    "beyond Pillow's own limit": (
        encoded(Image.new("1", (15_000, 15_000))),
        "it has more pixels than the 64",
    ),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(40), r"it is HEIC.*: pip install pillow-heif\)$"),
    "PostScript": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        r"it is none of JPEG, PNG",
    ),
    "a TIFF of no known kind": (
        tiff(1, 4, bytes(48), {}),
        r"it is a TIFF that is damaged or of a kind that cannot be read: save it as PNG\)$",
    ),
    "PDF": (b"%PDF-1.4\n", "it is none of JPEG, PNG"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "it is none of JPEG, PNG"),
    "nothing": (b"", "it is empty"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.filterwarnings("error")
def test_what_would_be_destroyed_run_or_flood_memory_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    content, sentence = REFUSED[kind]
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    for file in (content, path):
        with pytest.raises(ValueError, match=sentence) as refused:
            decode(file)
        assert str(tmp_path) not in str(refused.value)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@pytest.mark.parametrize(
    "notes",
    [
        chunk(b"eXIf", b"garbage"),
        chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
        b"\0\0\0\x03eXIfabcXXXX",
        chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))),
        chunk(b"iCCP", b"x"),
    ],
    ids=["no EXIF", "EXIF that leads nowhere", "wrong checksum", "too long a text", "no profile"],
)
def test_a_png_whose_notes_are_damaged_is_a_good_picture(notes: bytes) -> None:
    picture = Image.new("P", (4, 3), 1)
    picture.putpalette([0, 0, 0, 30, 60, 90])
    png = encoded(picture, transparency=b"\x80\xff")
    assert decode(png[:33] + notes + png[33:])[1, 1].tolist() == [30, 60, 90]


def png(bits: int, colour: int, row: bytes, clear: bytes) -> bytes:
    """A PNG one pixel high with a colour that is clear."""
    width = len(row) * 8 // bits // (3 if colour == 2 else 1)
    header = struct.pack(">IIBBBBB", width, 1, bits, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"tRNS", clear), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(1, 0, b"\x40", b"\0\0"), [255, 255, 255]),
        (png(2, 0, b"\x1b", b"\0\2"), [0, 85, 255]),
        (png(4, 0, b"\x02\x4f", b"\0\2"), [0, 255, 68]),
        (png(8, 0, b"\x02\x10\xff", b"\0\x10"), [2, 255, 255]),
        (png(16, 0, b"\x02\0\x80\x40\x80\x41", b"\x80\x40"), [2, 255, 128]),
        (png(16, 2, b"\x02\0\x03\0\x04\0\x80\1\x70\1\x60\1", b"\x80\1\x70\1\x60\1"), [2, 255]),
    ],
    ids=["1 bit", "2 bits", "4 bits", "8 bits", "16 bits", "16 bits in colour"],
)
def test_the_colour_that_a_png_says_is_clear_is_white_however_many_bits_it_has(
    content: bytes, expected: list[int]
) -> None:
    assert decode(content)[0, :, 0].tolist()[: len(expected)] == expected


def test_a_png_whose_other_notes_are_damaged_is_still_turned_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    png = encoded(Image.new("RGB", (6, 4)), exif=turned)
    assert decode(png[:33] + b"\0\0\0\3tEXtabcXXXX" + png[33:]).shape == (6, 4, 3)


NOISE = np.random.default_rng(0).integers(1, 255, (60, 80, 3), dtype=np.uint8)


def png_of_rows(
    bits: int, colour: int, samples: int, rows: int, *, of: int, interlaced: bool = False
) -> bytes:
    """A PNG 16 pixels wide whose compressed data are whole, but hold only so many rows of the last pass."""
    row = b"\0" + b"\xa5" * (16 * bits * samples // 8)
    passes = [(2, of // 8), (2, of // 8), (4, of // 8), (4, of // 4), (8, of // 4), (8, of // 2)]
    before = b"".join((b"\0" + b"\xa5" * -(-width * bits * samples // 8)) * high for width, high in passes)
    header = struct.pack(">IIBBBBB", 16, of, bits, colour, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
    data = chunk(b"IDAT", zlib.compress((before if interlaced else b"") + row * rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize(
    ("bits", "colour", "samples"),
    [(1, 0, 1), (2, 0, 1), (8, 0, 1), (16, 0, 1), (8, 2, 3), (16, 2, 3), (8, 3, 1), (8, 4, 2), (8, 6, 4)],
)
def test_a_png_that_holds_fewer_rows_than_it_declares_is_refused(
    bits: int, colour: int, samples: int, is_interlaced: bool
) -> None:
    def holding(rows: int) -> bytes:
        return png_of_rows(bits, colour, samples, rows, of=40, interlaced=is_interlaced)

    whole = 20 if is_interlaced else 40
    assert decode(holding(whole)).shape == (40, 16, 3)
    for rows in (2, whole - 1):
        with pytest.raises(
            ValueError, match=r"^it cannot be decoded \(it ends early: .* 16 x 40 pixels.*\)$"
        ):
            decode(holding(rows))


@pytest.mark.parametrize("value", [0, 77, 128])
@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_picture_of_one_colour_is_whole_whatever_it_is(ending: str, value: int) -> None:
    for mode in ("L", "RGB", "P"):
        if (mode, ending) != ("P", "jpg"):
            colour = (value,) * 3 if mode == "RGB" else value
            assert decode(encoded(Image.new(mode, (33, 21), colour), ending)).shape == (21, 33, 3)


@pytest.mark.parametrize(
    "options",
    [{}, {"restart_marker_blocks": 2}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_that_is_cut_and_closed_again_is_refused(mode: str, options: dict[str, Any]) -> None:
    jpeg = encoded(Image.fromarray(NOISE).convert(mode), "jpg", quality=90, **options)
    assert (decode(jpeg) == decode(jpeg + b"notes after the end")).all()
    first_scan = jpeg.index(b"\xff\xda") + 40  # later ones only sharpen a progressive one
    for cut in (
        (first_scan,) if "progressive" in options else (first_scan, *(len(jpeg) * n // 10 for n in (5, 7, 9)))
    ):
        with pytest.raises(
            ValueError, match=r"^it cannot be decoded \(it ends early: .* 80 x 60 pixels.*\)$"
        ):
            decode(jpeg[:cut] + b"\xff\xd9")


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate"])
def test_a_tiff_that_names_fewer_strips_than_it_needs_is_refused(tmp_path: Path, compression: str) -> None:
    content = bytearray(
        encoded(
            Image.fromarray(NOISE), "tif", compression=compression, tiffinfo={278: 30}, strip_size=80 * 90
        )
    )
    assert decode(bytes(content)).shape == (60, 80, 3)
    for tag in (273, 279):
        entry = next(at for kind in (3, 4) if (at := content.find(struct.pack("<HHI", tag, kind, 2))) > 0)
        size = 2 if content[entry + 2] == 3 else 4
        (place,) = struct.unpack_from("<I", content, entry + 8)
        if size == 4:
            content[entry + 8 : entry + 12] = content[place : place + 4]
        struct.pack_into("<I", content, entry + 4, 1)
    path = tmp_path / "photo.tif"
    path.write_bytes(content)
    for file in (bytes(content), path):
        with pytest.raises(
            ValueError, match=r"^it cannot be decoded \(it ends early: .* 80 x 60 pixels.*\)$"
        ):
            decode(file)


@pytest.mark.parametrize("ending", ["gif", "bmp", "webp", "ppm", "tga", "pcx", "sgi", "qoi", "jp2"])
def test_a_picture_of_another_format_that_is_cut_is_refused(ending: str) -> None:
    content = encoded(Image.fromarray(NOISE), ending)
    for share in (0.3, 0.5, 0.9):
        with pytest.raises(ValueError, match=r"^it cannot be decoded"):
            decode(content[: int(len(content) * share)])


def bmp_with_transparency(picture: Image.Image) -> bytes:
    """A BMP of version 4, which Pillow does not write, that says which byte is the transparency."""
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, *picture.size, 1, 32, 3, 0, 0, 0, 0, 0) + masks + bytes(52)
    content = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(content), 0, 0, 122) + header + content


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (bmp_with_transparency, [10, 200, 30]),
        (lambda picture: encoded(picture, "tga"), [10, 200, 30]),
        (lambda picture: encoded(picture, "png"), [255, 255, 255]),
        (lambda picture: encoded(picture, "webp", lossless=True), [255, 255, 255]),
    ],
    ids=["BMP", "TGA", "PNG", "WebP"],
)
def test_a_bmp_or_tga_that_would_be_clear_everywhere_has_no_transparency(
    write: Callable[[Image.Image], bytes], expected: list[int]
) -> None:
    picture = Image.new("RGBA", (4, 3), (10, 200, 30, 0))
    assert decode(write(picture))[1, 1].tolist() == expected
    picture.putpixel((0, 0), (10, 200, 30, 255))
    assert decode(write(picture))[1, 1].tolist() == [255, 255, 255]
    assert decode(write(picture))[0, 0].tolist() == [10, 200, 30]


def test_a_damaged_jpeg_note_leaves_the_picture_as_it_is_stored() -> None:
    jpeg = encoded(Image.new("RGB", (6, 4)), "jpg", exif=b"Exif\0\0MM\0*garbage")
    assert decode(jpeg).shape == (4, 6, 3)


@pytest.mark.parametrize("ending", sorted(ENDINGS - {".heic", ".heif", ".hif", ".pfm", ".mpo", ".pbm"}))
def test_every_ending_that_is_taken_for_a_picture_is_one_that_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    Image.new("RGB", (40, 30), (100, 150, 200)).save(
        path, Image.registered_extensions().get(ending), **({"quality": 90} if ending == ".avif" else {})
    )
    assert size_of(path) == (40, 30)
    assert np.abs(decode(path)[9, 9].astype(int) - [100, 150, 200]).max() <= 6


def test_libraries_that_open_pictures_by_themselves_open_raster_formats_alone() -> None:
    eps = io.BytesIO()
    Image.new("RGB", (4, 3)).save(eps, "EPS")
    before = list(Image.ID)
    with raster_formats_alone():
        with pytest.raises(Image.UnidentifiedImageError):
            Image.open(eps)
        assert Image.open(io.BytesIO(encoded(Image.new("RGB", (4, 3))))).size == (4, 3)
    assert before == Image.ID
    assert "EPS" not in formats()


def test_no_picture_is_opened_without_a_list_of_formats() -> None:
    folders = ("pipeline", "experiments", "reporting", "figures", "benchmarks")
    calls = [
        (path.name, call)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for call in re.findall(r"Image\.open\(.*", path.read_text())
    ]
    assert len(calls) >= 3
    assert [call for call in calls if "formats=" not in call[1]] == []
