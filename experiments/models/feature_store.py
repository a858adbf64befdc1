"""Image features that are computed once and kept on disk, never all of them in memory."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models.processes import Processes, is_main, shared_out
from pipeline.files import keep, kept, sha256_of
from pipeline.frozen import Frozen

BATCH = 32
"""Pictures that are encoded at once.

Of many more, what layers compute fits neither caches nor memory that was freed before, and new memory costs
time: a tenth of ViT-B-32's, half of EfficientNet-Lite0's.
"""

_LIBRARIES = ("open_clip_torch", "pillow", "timm", "torch", "torchvision", "transformers")
"""Those that resize pictures and compute their features."""

Encode = Callable[[Sequence[np.ndarray]], Tensor]
"""Computes the features of uint8 pictures (H, W, 3): float32 on the CPU, one row each."""
Report = Callable[[int], None]
"""Called with the number of pictures done."""


class _About(Frozen):
    """The SHA-256 of a file of features, and the seconds that computing them took."""

    sha256: str
    seconds: float


@dataclass(frozen=True)
class Features:
    """Features in float32, one row an image, mapped from disk, and the seconds that computing them took.

    `reused` says that they were there: the wall-clock seconds are then those of the run that made them.
    """

    features: np.ndarray
    seconds: float
    reused: bool

    @property
    def images_per_second(self) -> float:
        """Return the throughput of preprocessing and encoding."""
        return len(self.features) / self.seconds


def fingerprint(module: nn.Module, *options: object) -> str:
    """Hash a network's structure and tensors, and the text of whatever else its features depend on."""
    found = hashlib.sha256("\n".join(map(str, (module, *options))).encode())
    for name, tensor in module.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def cached_features(
    encode: Encode,
    encoder: str,
    pictures: Pictures,
    context: Context,
    *,
    module: str,
    folder: str,
    report: Report = lambda done: None,
) -> Features:
    """Return `encode` of pictures, computed by all processes together unless an earlier call has done it.

    They lie in `folder` under `context.shared`, addressed by `encoder`, a fingerprint of the tensors and
    options that `encode` depends on, by the pictures, by libraries' versions, and by the code: that of
    `module`, which defines what `encode` calls or reaches it by import, and that of this module. The file is
    written whole or not at all, by the main process. An empty one beside it says which stage used it at which
    key, so that `clean` knows what is kept for nothing.
    """
    code = f"{context.code_of(module)} {context.code_of(__name__)}"
    versions = [metadata.version(library) for library in _LIBRARIES]
    path = _path(context.shared / folder, f"{encoder} {code} {versions}", pictures)
    found = context.processes.broadcast(_read(path, len(pictures)) is not None)
    if found:
        report(len(pictures))
    else:
        _compute(path, encode, pictures, report, context.processes)
        context.processes.barrier()
    features = _read(path, len(pictures))
    if features is None:
        raise OSError(f"{path} changed while it was read")
    if is_main(context.processes):
        user = f"{context.scratch.parent.name}-{context.scratch.name}"
        path.with_name(f"{path.stem}.{user}.used").touch()
    return Features(features.features, features.seconds, reused=found)


def batch_of(features: np.ndarray, positions: Sequence[int] | np.ndarray | Tensor | slice) -> Tensor:
    """Return the features of some pictures as a tensor of its own."""
    return torch.tensor(features[positions if isinstance(positions, slice) else np.asarray(positions)])


def _path(folder: Path, encoder: str, pictures: Pictures) -> Path:
    key = hashlib.sha256(encoder.encode())
    for position in range(len(pictures)):
        key.update(f" {pictures.digest(position)}".encode())
    return folder / f"{key.hexdigest()[:32]}.npy"


def _read(path: Path, n: int) -> Features | None:
    """Return the features of `n` pictures at `path`, or None if there are none or the file is damaged."""
    try:
        told = kept(_about(path))
        about = _About.model_validate_json(told) if told is not None else None
        if about is None or sha256_of(path) != about.sha256:
            return None
        features = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        return None
    return Features(features, about.seconds, reused=True) if len(features) == n else None


def _compute(path: Path, encode: Encode, pictures: Pictures, report: Report, processes: Processes) -> None:
    """Compute features batch by batch into a temporary file that the main process puts in place."""
    start, done, n = time.perf_counter(), 0, len(pictures)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    target: np.ndarray | None = None

    def encoded(first: int) -> np.ndarray:
        return encode([pictures[position] for position in range(first, min(first + BATCH, n))]).numpy()

    try:
        for part in shared_out(processes, encoded, range(0, n, BATCH)):
            if is_main(processes):
                if target is None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    target = np.lib.format.open_memmap(unfinished, "w+", np.float32, (n, *part.shape[1:]))
                target[done : done + len(part)] = part
            done += len(part)
            report(done)
        if isinstance(target, np.memmap):
            target.flush()
            _put_in_place(unfinished, path, time.perf_counter() - start)
    finally:
        unfinished.unlink(missing_ok=True)


def _put_in_place(unfinished: Path, path: Path, seconds: float) -> None:
    about = _About(sha256=sha256_of(unfinished), seconds=seconds)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    keep(_about(path), about.model_dump_json().encode())


def _about(path: Path) -> Path:
    """Return the file that says of features how long they took, written after them."""
    return path.with_suffix(".json")
