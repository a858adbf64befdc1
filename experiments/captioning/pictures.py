"""Small pictures of photos, as the report shows them."""

import io
import re

import numpy as np
from PIL import Image

SIDE = 256
"""The longer side in pixels: at an inch and a half on paper these are 170 an inch."""


def file_name(photo: str) -> str:
    """Return a photo's name as that of a file which every system and every link can take."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", photo).lstrip("-.")[:80] or "photo"


def picture(pixels: np.ndarray) -> bytes:
    """Return a PNG of a uint8 photo (H, W, 3) whose longer side is about `SIDE` pixels.

    A smaller photo is enlarged by a whole factor without smoothing, so that it stays crisp and shows no more
    than there is; a larger one is reduced.
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
