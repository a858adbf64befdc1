"""The networks that are trained from scratch: `[cnn]`, `[vit]`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from experiments.config.fields import Count, Positive, PrecisionChoice, Rate, Seed, Weight
from pipeline.frozen import Frozen

Channels = Annotated[int, Field(ge=1, le=16_384)]


class TrainingConfig(Frozen):
    """How to train: epochs, batch size (images), peak learning rate, and the regularisers.

    Forward passes compute at `precision`; "auto" is bf16 where instructions make it faster, else fp32.
    Each training image is shifted by up to `translate` pixels along both axes, afresh in each epoch.
    """

    seed: Seed
    precision: PrecisionChoice
    epochs: Positive
    batch_size: Annotated[int, Field(ge=2, le=1_000_000)]  # of one image there is nothing to normalise by
    learning_rate: Rate
    weight_decay: Weight
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    translate: Count

    def misfit(self, side: int) -> str | None:
        """Say in a phrase which option does not fit images of `side` pixels square, None if all do."""
        if self.translate < side:
            return None
        return (
            f"translate shifts images by up to {self.translate} pixels, but they have {side}: lower it, or "
            "raise images.size"
        )


class CnnConfig(TrainingConfig):
    """A CNN with one block of two convolutions per entry of `widths` (channels).

    Each block halves height and width.
    """

    widths: Annotated[tuple[Channels, ...], Field(min_length=1)]

    def misfit(self, side: int) -> str | None:
        """Say as well where the blocks leave nothing of the images."""
        if (side - 1) >> len(self.widths) >= 1:
            return super().misfit(side)
        return (
            f"widths names {len(self.widths)} blocks, each of which halves images of {side} pixels, so that "
            "nothing is left of them: name fewer, or raise images.size"
        )


class VitConfig(TrainingConfig):
    """A vision transformer of `depth` blocks on tokens of `width` channels, with `heads` attention heads.

    The tokens come from a stem of two convolutions, the first of which has `stem_width` channels.
    """

    stem_width: Channels
    width: Channels
    depth: Annotated[int, Field(ge=1, le=1000)]
    heads: Channels

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads = {self.heads} must divide width = {self.width}")
        return self
