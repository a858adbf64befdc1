"""Where data and weights come from, as data: pages put it into words."""

from collections.abc import Sequence

from pipeline.frozen import Frozen


class Source(Frozen):
    """Where one part comes from of what a result rests on; None is what is not known.

    `name` says what it is, with the package, repository or folder that holds it (never a path). `revision` is
    its version or commit, `sha256` the hash of the file that was used, or of the rows that were read, 64
    hexadecimal digits, `licence` the one that it is given under, `url` where it can be had. What is drawn
    from a seed has no source.
    """

    name: str
    revision: str | None = None
    sha256: str | None = None
    licence: str | None = None
    url: str | None = None


def named(sources: Sequence[Source]) -> str:
    """Return the names of sources in one line, for a log or a sentence."""
    return "; ".join(source.name for source in sources) or "drawn from a seed"
