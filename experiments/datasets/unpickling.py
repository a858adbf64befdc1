"""Keeping torchvision from running what the pickles of data sets hold."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

_ARRAYS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""What a pickle of plain data and of arrays names."""


class _PlainUnpickler(pickle.Unpickler):
    """Makes plain data and arrays alone."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Return what a pickle names, if that is a part of an array.

        Raises:
            UnpicklingError: if it is anything else, which could be code.
        """
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it would run code ({module}.{name}), which is never done")
        return super().find_class(module, name)


@contextmanager
def only_plain_pickles() -> Iterator[None]:
    """Let torchvision read pickles of plain data and arrays alone: those of CIFAR, and what LSUN keeps."""
    from torchvision.datasets import cifar, lsun

    plain = SimpleNamespace(
        load=lambda file, **options: _PlainUnpickler(file, **options).load(), dump=pickle.dump
    )
    modules: list[Any] = [cifar, lsun]
    for module in modules:
        module.pickle = plain
    try:
        yield
    finally:
        for module in modules:
            module.pickle = pickle
