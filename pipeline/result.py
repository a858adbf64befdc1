"""What a stage returns: a result, with the estimates and the names of files that it may hold."""

import hashlib
from pathlib import Path
from typing import ClassVar

from pipeline.frozen import Frozen


class Estimate(Frozen):
    """A value with its 95 % interval.

    `value`, `low` and `high` share one unit (accuracies are fractions in [0, 1]); `n` is the number
    of independent observations and `method` names how the interval was made, e.g. ``"wilson"``.
    """

    value: float
    n: int
    low: float
    high: float
    method: str


class Attachment(Frozen):
    """A small file in the folder named after the stage, beside its result: its name there and its SHA-256.

    The name holds the beginning of the hash, so that a file is never written over by another.
    """

    file: str
    sha256: str

    @classmethod
    def of(cls, file: str, content: bytes) -> "Attachment":
        """Name a file with this content: the beginning of its hash becomes part of the name."""
        sha256, path = hashlib.sha256(content).hexdigest(), Path(file)
        return cls(file=f"{path.stem}-{sha256[:8]}{path.suffix}", sha256=sha256)


class Result(Frozen):
    """What every stage's result can say of itself.

    `COSTS` are the names of its fields, at any depth, that say what computing it cost (seconds, bytes,
    rates): they are other at every run, so that what builds on the result does not follow them.
    """

    COSTS: ClassVar[frozenset[str]] = frozenset()

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {}

    def attachments(self) -> tuple[Attachment, ...]:
        """Return the files that stand beside the result."""
        return ()

    def artefacts(self) -> tuple[str, ...]:
        """Return the names of what its stage leaves in its scratch folder for others, such as a model."""
        return ()

    def precision_used(self) -> str | None:
        """Return the precision that it was computed at, None where it has none."""
        return getattr(self, "precision", None)
