"""Numbers in the words of a check's sentences."""

from collections.abc import Sequence

SHOWN = 3
"""So many examples a sentence names."""


def counted(count: int, noun: str) -> str:
    """Return a number and its noun, such as "1 photo" or "5,000 photos"."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def in_bytes(count: float) -> str:
    """Return a size in the largest unit of which there is at least one, such as "1.6 GB" or "25 MB"."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} bytes"


def in_time(seconds: float) -> str:
    """Return a duration as one would say it, such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def such_as(names: Sequence[str]) -> str:
    """Return the first few names and how many others there are, such as "a.png, b.png and 7 more"."""
    rest = len(names) - SHOWN
    if rest > 0:
        return f"{', '.join(names[:SHOWN])} and {rest:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
