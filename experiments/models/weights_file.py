"""The tensors in a file that somebody else wrote, read without running what else it holds."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.errors import UserError, reason

_UNDER = ("state_dict", "model_state_dict", "model", "module", "network", "net", "weights")
"""Where training keeps a network's tensors beside its own state, the likeliest first."""

_BEFORE = ("module.", "model.", "network.", "net.")
"""What stands before every name where the network was a part of another module."""

_COMPILED = "_orig_mod."
"""What `torch.compile` puts into names, before those of the module that it was given."""

_HEADS = {
    b"version https://git-lfs": "it is a pointer of Git LFS, whose content `git lfs pull` fetches",
    b"<": "it is a web page",
}
"""How files begin that are often taken for others."""


class _Inert:
    """Stands for whatever a file holds besides tensors: it takes all that it is made of, and does nothing."""

    def __new__(cls, *_: object) -> "_Inert":
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


def read_tensors(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint on the CPU, under their names in the network.

    They stand at its top or one level down, as trainings keep them, and what wrappers around the network put
    before their names is dropped. Nothing of the file is run: what it holds besides tensors and plain data,
    such as the options of a training, counts for nothing.

    Raises:
        UserError: if it is no checkpoint that safetensors or torch can read, holds a whole model in place of
            its tensors, or no tensors with names, or those of several networks.
    """
    try:
        content = _safetensors(file) if file.suffix == ".safetensors" else _torch(file)
    except Exception as error:  # whatever a truncated or foreign file makes the libraries raise
        raise UserError(
            f"{file} cannot be read as a checkpoint ({_why(file, error)}): get it anew."
        ) from error
    found = _named_tensors(file, content)
    if not found:
        raise UserError(f"{file} holds no tensors with names: it is not a network's checkpoint.")
    return _as_in_the_network(found)


def _safetensors(file: Path) -> object:
    from safetensors.torch import load_file

    return load_file(file)


def _torch(file: Path) -> object:
    others: list[str] = []
    with suppress(ValueError):  # of files in torch's older format it does not tell
        others = torch.serialization.get_unsafe_globals_in_checkpoint(str(file))
    inert: list[Any] = [(type(name, (_Inert,), {}), name) for name in others]
    with torch.serialization.safe_globals(inert):
        return torch.load(file, map_location="cpu", weights_only=True)


def _why(file: Path, error: Exception) -> str:
    with file.open("rb") as content:
        head = content.read(100).lstrip()
    known = (said for begin, said in _HEADS.items() if head.startswith(begin))
    # Of other content than tensors, torch says how to run it, which nobody should.
    foreign = isinstance(error, pickle.UnpicklingError | KeyError)
    return next(known, "it holds something else" if foreign else reason(error))


def _named_tensors(file: Path, content: object) -> dict[str, Tensor]:
    """Return the tensors by name at the top of what a file holds, or one level down."""
    below = {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
    parts = {key: found for key, value in below.items() if (found := _tensors(value))}
    usual = next((parts[key] for key in _UNDER if key in parts), None)
    found = usual or _tensors(content)
    if not found and len(parts) > 1:
        raise UserError(
            f"{file} holds the tensors of several networks ({', '.join(parts)}): save those of one alone."
        )
    whole = next((value for value in (content, *below.values()) if isinstance(value, _Inert)), None)
    if not found and not parts and whole:
        raise UserError(
            f"{file} holds a whole model ({type(whole).__name__}), which only running code could read, which "
            "is never done: where you trust its maker, save its state_dict() alone, with safetensors."
        )
    return found or next(iter(parts.values()), {})


def _tensors(content: object) -> dict[str, Tensor]:
    items = content.items() if isinstance(content, dict) else ()
    return {name: value for name, value in items if isinstance(name, str) and isinstance(value, Tensor)}


def _as_in_the_network(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drop from names what wrappers around the network put there."""
    found = {name.replace(_COMPILED, ""): tensor for name, tensor in found.items()}
    for before in _BEFORE * 2:  # one wrapper may be in another
        if all(name.startswith(before) for name in found):
            found = {name.removeprefix(before): tensor for name, tensor in found.items()}
    return found
