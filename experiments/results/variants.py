"""What other ways of tuning the same captioner write."""

from typing import Literal

from experiments.results.caption import Caption
from pipeline.frozen import Frozen
from pipeline.result import Result


class TunedVariant(Frozen):
    """One way of tuning, all else being equal, and the captions that it leads to.

    `rank` is None and `targets` empty for full fine-tuning. `trainable` counts parameters, `saved_bytes`
    is the size of what a user has to keep besides the base, `loss`, `seconds` and `peak_bytes` are as in
    `Lora`. `captions` are those of the evaluation photos, `held_out` those of the held-out photos, in
    the order of `Generated.records` and of `Aligned.held_out_labels`.

    `held_out_off` holds the captions with the adapter switched off, and `off_is_base` tells whether its
    logits are then the base's bit for bit; both are None where there is nothing to switch off.
    """

    key: str
    name: str
    kind: Literal["lora", "full"]
    rank: int | None
    targets: tuple[str, ...]
    trainable: int
    saved_bytes: int
    loss: tuple[float, ...]
    seconds: float
    peak_bytes: int | None
    captions: tuple[Caption, ...]
    held_out: tuple[str, ...]
    held_out_off: tuple[str, ...] | None
    off_is_base: bool | None


class Variants(Result):
    """Every variant, adapters by rising rank first. `seconds` is wall-clock time for all."""

    COSTS = frozenset({"seconds", "peak_bytes"})

    variants: tuple[TunedVariant, ...]
    seconds: float

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {f"last loss ({variant.key})": variant.loss[-1] for variant in self.variants}
