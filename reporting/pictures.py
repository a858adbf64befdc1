"""How large a photo stands on a page, whatever its shape."""

import struct
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 1.6
"""A panorama may be as many times as wide as a square photo, and a portrait as many times as high."""


@dataclass(frozen=True)
class Picture:
    """A picture on a page: its path from the project's folder, its width in pixels, and if it is enlarged."""

    path: str
    width: int
    is_enlarged: bool


def width(file: Path, side: int) -> int:
    """Return the width at which a PNG covers about as much as a square of `side` pixels."""
    across, down = struct.unpack(">II", file.read_bytes()[16:24])  # where every PNG has them
    even = side * (across / down) ** 0.5
    return max(1, round(min(even, _LONGEST * side, _LONGEST * side * across / down)))
