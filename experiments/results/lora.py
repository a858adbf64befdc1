"""The result of fine-tuning a captioner by low-rank adaptation."""

from collections.abc import Sequence
from typing import Protocol

from pipeline.result import Result


class Tuned(Protocol):
    """One of several ways of tuning a captioner, as the stages `variants` and `ablations` tell of it."""

    @property
    def rank(self) -> int | None:
        """Of the adapter; None where there is none."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """The suffixes of the names of the adapted modules."""
        ...


ADAPTER = "adapter"
"""The folder that the stage leaves, with the adapter as PEFT saves it."""


class Lora(Result):
    """An adapter and how it came about.

    `targets` are the suffixes of the names of the adapted modules, `matched` the number of modules that
    they match. `trainable` and `total` count parameters, the adapter's included in both;
    `adapter_bytes` is the size on disk of what PEFT saved. `loss` is the mean cross-entropy per token,
    in nats, of each epoch over `images` photos with one caption each. `seconds` is the wall-clock time
    of the tuning alone, summed over resumed runs.
    """

    COSTS = frozenset({"seconds"})

    model: str
    r: int
    alpha: int
    dropout: float
    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    targets: tuple[str, ...]
    matched: int
    images: int
    trainable: int
    total: int
    adapter_bytes: int
    loss: tuple[float, ...]
    seconds: float

    def position_among(self, variants: Sequence[Tuned]) -> int | None:
        """Return the position of the variant that is this adapter, by rank and set of targets, if one is."""
        own = (self.r, set(self.targets))
        same = (at for at, each in enumerate(variants) if (each.rank, set(each.targets)) == own)
        return next(same, None)

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {"trainable": self.trainable, "last loss": self.loss[-1]}

    def artefacts(self) -> tuple[str, ...]:
        """Return the name of the adapter's folder."""
        return (ADAPTER,)
