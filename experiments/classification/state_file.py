"""What a file with a network's tensors holds, told without building the network."""

import pickle
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import UserError, reason


def is_torchscript(file: Path) -> bool:
    """Tell whether a file is an archive of TorchScript, as OpenAI publishes its weights."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


@contextmanager
def reading_torchscript() -> Iterator[None]:
    """Silence that torch reads archives of TorchScript in one way alone, and advises against it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(TorchScript archive|torch.jit.load)")
        yield


def shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor in a checkpoint, under its name in the network.

    Raises:
        UserError: if it is no checkpoint that safetensors or torch can read, or holds no named tensors.
    """
    try:
        found = _safetensors(file) if file.suffix == ".safetensors" else _torch(file)
    except Exception as error:  # whatever a truncated or foreign file makes the libraries raise
        # Of other content than tensors, torch says how to run it, which nobody should.
        foreign = isinstance(error, pickle.UnpicklingError | KeyError)
        why = "it holds something else" if foreign else reason(error)
        raise UserError(f"{file} cannot be read as a checkpoint ({why}): get it anew.") from error
    if not found:
        raise UserError(f"{file} holds no tensors with names: it is not a network's checkpoint.")
    return found


def _safetensors(file: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as content:
        return {name: tuple(content.get_slice(name).get_shape()) for name in content.keys()}  # noqa: SIM118


def _torch(file: Path) -> dict[str, tuple[int, ...]]:
    if is_torchscript(file):
        with reading_torchscript():
            state: Any = torch.jit.load(file, map_location="cpu").state_dict()
    else:
        state = torch.load(file, map_location="meta", weights_only=True)
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    return {
        name.removeprefix("module."): tuple(tensor.shape)
        for name, tensor in state.items()
        if isinstance(tensor, torch.Tensor)
    }
