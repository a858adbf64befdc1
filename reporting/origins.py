"""Where data and weights come from, in words."""

from collections.abc import Sequence

from experiments.results.source import Source

_DIGITS = 12
"""How much of a commit or a hash is printed, of which the whole stands in the result."""


def worded(sources: Sequence[Source]) -> str:
    """Say in a line where things come from: ``some/model, version 0123456789ab, licence MIT; …``.

    A hash is named where there is no version. Sources are none where everything was drawn from a seed.
    """
    return "; ".join(map(_worded, sources)) or "drawn from a seed"


def _worded(source: Source) -> str:
    parts = [source.name]
    if source.revision:
        parts.append(f"version {source.revision[:_DIGITS]}")
    elif source.sha256:
        parts.append(f"SHA-256 {source.sha256[:_DIGITS]}…")
    if source.licence:
        parts.append(f"licence {source.licence}")
    return ", ".join(parts)
