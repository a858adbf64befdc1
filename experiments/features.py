"""Image features that are computed once and kept on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import nn

from experiments.atomic import write_whole


@dataclass(frozen=True)
class Features:
    """Features in float32, one row an image, with the wall-clock seconds that computing them took.

    `reused` says that they came from disk: the seconds are then those of the run that made them.
    """

    features: np.ndarray
    seconds: float
    reused: bool

    @property
    def images_per_second(self) -> float:
        """Return the throughput of preprocessing and encoding."""
        return len(self.features) / self.seconds


def path_of(folder: Path, key: str) -> Path:
    """Return the file in `folder` for features that `key` identifies: by tower, images and precision."""
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"


def digest(array: np.ndarray) -> str:
    """Hash an array's shape, type and content."""
    header = f"{array.shape} {array.dtype} ".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def fingerprint(module: nn.Module, *options: object) -> str:
    """Hash a network's structure and tensors, and the text of whatever else its features depend on."""
    found = hashlib.sha256("\n".join(map(str, (module, *options))).encode())
    for name, tensor in module.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def keep(path: Path, features: np.ndarray, seconds: float) -> Features:
    """Write features that have just been computed to `path`, whole or not at all, and return them."""
    metadata = {"seconds": repr(seconds), "sha256": digest(features)}
    write_whole(path, save({"features": features}, metadata=metadata))
    return Features(features, seconds, reused=False)


def read(path: Path, n: int) -> Features | None:
    """Return the features of `n` images at `path`, or None if there are none or the file is damaged."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            features, metadata = file.get_tensor("features"), file.metadata()
    except (SafetensorError, OSError):
        return None
    if len(features) != n or metadata.get("sha256") != digest(features):
        return None
    return Features(features, float(metadata["seconds"]), reused=True)
