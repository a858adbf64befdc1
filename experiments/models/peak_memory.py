"""The most memory that a piece of work took beyond what was there before."""

import ctypes
import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


@dataclass
class Peak:
    """The peak in bytes, known once the work is done; None where the system does not tell."""

    bytes: int | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure what the work in the block needs at most above what the process holds when it begins.

    On a GPU that is memory that tensors take, else resident memory. On Linux the kernel's high-water mark
    is reset first (proc(5), clear_refs), after freed memory was given back: it is then what the process
    holds, and earlier work does not count. What a process could never give back does, which is why work is
    best measured in a fresh one.
    """
    peak = Peak()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        yield peak
        peak.bytes = torch.cuda.max_memory_allocated() - held
        return
    held = _high_water_mark() if _reset() else None
    yield peak
    reached = None if held is None else _high_water_mark()
    peak.bytes = None if held is None or reached is None else reached - held


def _reset() -> bool:
    """Reset the kernel's high-water mark; tell whether there is one."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        _CLEAR.write_text(_RESET_PEAK)
    except (OSError, AttributeError):
        return False
    return True


def _high_water_mark() -> int | None:
    found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None
