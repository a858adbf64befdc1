"""The most memory that a piece of work took."""

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
    """Measure the work in the block: the process's largest resident memory, or a GPU's allocated memory.

    On Linux the kernel's high-water mark is reset first (proc(5), clear_refs), after freed memory was
    given back, so that earlier work does not count.
    """
    peak = Peak()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        yield peak
        peak.bytes = torch.cuda.max_memory_allocated()
        return
    resettable = _reset()
    yield peak
    peak.bytes = _high_water_mark() if resettable else None


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
