"""What other ways of tuning the same captioner write."""

from typing import Literal

from experiments.results.caption import Caption
from pipeline.frozen import Frozen
from pipeline.result import Result


class TunedVariant(Frozen):
    """One way of tuning, all else being equal, and the captions that it leads to.

    `rank` is None and `targets` empty for full fine-tuning. `trainable` counts parameters, `saved_bytes`
    is the size of what a user has to keep besides the base, `learning_rate` and `loss` are as in `Lora`.
    `captions` are those of the evaluation photos, `held_out` those of the held-out photos, in the order of
    `Generated.records` and of `Aligned.held_out_labels`.

    `seconds_per_step` and `peak_bytes`, above the loaded captioner, are those of a few steps that a process
    of its own took of every way alike, apart from the tuning. Both are None where several processes ran the
    stage, and the memory where the system does not tell.

    `off_is_base` tells whether the logits with the adapter switched off are the base's bit for bit, and so
    any caption that is written with it off; it is None where there is nothing to switch off.
    """

    key: str
    name: str
    kind: Literal["lora", "full"]
    rank: int | None
    targets: tuple[str, ...]
    trainable: int
    saved_bytes: int
    learning_rate: float
    loss: tuple[float, ...]
    seconds_per_step: float | None
    peak_bytes: int | None
    captions: tuple[Caption, ...]
    held_out: tuple[str, ...]
    off_is_base: bool | None


class Variants(Result):
    """Every variant, adapters by rising rank first. `seconds` is wall-clock time for all."""

    COSTS = frozenset({"seconds", "seconds_per_step", "peak_bytes"})

    variants: tuple[TunedVariant, ...]
    seconds: float

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {f"last loss ({variant.key})": variant.loss[-1] for variant in self.variants}
