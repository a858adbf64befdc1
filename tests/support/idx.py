"""Files in the format of the MNIST family."""

import gzip
import struct
from pathlib import Path

import numpy as np


def idx(path: Path, array: np.ndarray) -> None:
    """Write an array in the format of the MNIST family (idx), as torchvision finds it unpacked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
    with gzip.open(path.with_suffix(".gz"), "wb") as packed:
        packed.write(path.read_bytes())
