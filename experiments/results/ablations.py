"""What rank, targets and full fine-tuning change."""

from typing import Literal

from pipeline.frozen import Frozen
from pipeline.result import Estimate, Result


class Variant(Frozen):
    """One way of tuning, all else being equal.

    `rank` and `targets` are None and empty for full fine-tuning and for the base, which is not tuned
    (its `trainable` is 0, its `learning_rate` and its costs are None). `trainable` counts parameters,
    `saved_bytes` is the size of what a user has to keep besides the base, `learning_rate`,
    `seconds_per_step` and `peak_bytes` are as in `TunedVariant`. `last_loss` is the mean loss of the last
    epoch (None for the base).

    Over the evaluation photos: `length` is the mean number of words, `distance` the Jensen-Shannon
    divergence in bits between equally many words of the captions and of the references, `right_class` and
    `right_colour` the shares of photos whose caption names the right class and a colour of the
    references (the class is None where the photos have none or words cannot be told apart, the colour
    where captions are not English), `ended` the share of captions that end by themselves.

    Over `held_out.n` photos kept from all tuning: `held_out` is the share whose caption names the right
    class (None where no photos are held out); its difference to the base is tested in the stage `evidence`.
    """

    key: str
    name: str
    kind: Literal["base", "lora", "full"]
    rank: int | None
    targets: tuple[str, ...]
    trainable: int
    saved_bytes: int
    learning_rate: float | None
    seconds_per_step: float | None
    peak_bytes: int | None
    last_loss: float | None
    length: Estimate
    distance: Estimate
    right_class: Estimate | None
    right_colour: Estimate | None
    ended: Estimate
    held_out: Estimate | None


class Ablations(Result):
    """Every variant, the base first; `held_out_classes` are the classes that held-out photos show.

    `off_is_base` tells whether, for every adapter, the logits with the adapter switched off equal the
    base's bit for bit.
    """

    COSTS = frozenset({"seconds_per_step", "peak_bytes"})

    variants: tuple[Variant, ...]
    held_out_classes: tuple[str, ...]
    off_is_base: bool

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        held_out = {f"held out ({each.key})": each.held_out for each in self.variants}
        return {name: share.value for name, share in held_out.items() if share is not None}
