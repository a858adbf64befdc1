"""Image features that are computed once and kept on disk, never all of them in memory."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from experiments.datasets.pictures import Pictures
from experiments.models.processes import Processes, is_main, shared_out
from pipeline.files import sha256_of, write_whole

Rows = Callable[[range], np.ndarray]
"""Computes the features of the pictures at consecutive positions, float32 with one row each."""


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


def path_of(folder: Path, encoder: str, pictures: Pictures) -> Path:
    """Return the file in `folder` for what the encoder with this fingerprint makes of these pictures."""
    key = hashlib.sha256(encoder.encode())
    for position in range(len(pictures)):
        key.update(f" {pictures.digest(position)}".encode())
    return folder / f"{key.hexdigest()[:32]}.npy"


def batches(n: int, size: int) -> list[range]:
    """Return the positions of `n` pictures in batches of `size`."""
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def fingerprint(module: nn.Module, *options: object) -> str:
    """Hash a network's structure and tensors, and the text of whatever else its features depend on."""
    found = hashlib.sha256("\n".join(map(str, (module, *options))).encode())
    for name, tensor in module.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def kept(
    path: Path, batches: Sequence[range], rows: Rows, report: Callable[[int], None], processes: Processes
) -> Features:
    """Return the features of pictures at `path`, computed by all processes together if they are not there.

    `rows` is called for one of `batches` of positions at a time, and `report` with the number of pictures
    done. The file is written whole or not at all, by the main process.
    """
    n = batches[-1].stop
    found = processes.broadcast(read(path, n) is not None)
    if found:
        report(n)
    else:
        _compute(path, batches, rows, report, processes)
        processes.barrier()
    features = read(path, n)
    if features is None:
        raise OSError(f"{path} changed while it was read")
    return Features(features.features, features.seconds, reused=found)


def read(path: Path, n: int) -> Features | None:
    """Return the features of `n` pictures at `path`, or None if there are none or the file is damaged."""
    try:
        about = json.loads(_about(path).read_bytes())
        if sha256_of(path) != about["sha256"]:
            return None
        features = np.load(path, mmap_mode="r")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Features(features, about["seconds"], reused=True) if len(features) == n else None


def _compute(
    path: Path, batches: Sequence[range], rows: Rows, report: Callable[[int], None], processes: Processes
) -> None:
    """Compute features batch by batch into a temporary file that the main process puts in place."""
    start, done, n = time.perf_counter(), 0, batches[-1].stop
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    target: np.ndarray | None = None
    try:
        for part in shared_out(processes, rows, batches):
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
    about = {"sha256": sha256_of(unfinished), "seconds": seconds}
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    write_whole(_about(path), json.dumps(about).encode())


def _about(path: Path) -> Path:
    """Return the file that says of features how long they took, written after them."""
    return path.with_suffix(".json")
