"""The networks that are trained from scratch: `[cnn]`, `[vit]`."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from experiments.config.fields import Positive, PrecisionChoice
from pipeline.frozen import Frozen


class TrainingConfig(Frozen):
    """How to train: epochs, batch size (images), peak learning rate, and the regularisers.

    Forward passes compute at `precision`; "auto" is bf16 where instructions make it faster, else fp32.
    Each training image is shifted by up to `translate` pixels along both axes, afresh in each epoch.
    """

    seed: Annotated[int, Field(ge=0)]
    precision: PrecisionChoice
    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    translate: Annotated[int, Field(ge=0)]


class CnnConfig(TrainingConfig):
    """A CNN with one block of two convolutions per entry of `widths` (channels).

    Each block halves height and width.
    """

    widths: Annotated[tuple[Positive, ...], Field(min_length=1)]


class VitConfig(TrainingConfig):
    """A vision transformer of `depth` blocks on tokens of `width` channels, with `heads` attention heads.

    The tokens come from a stem of two convolutions, the first of which has `stem_width` channels.
    """

    stem_width: Positive
    width: Positive
    depth: Positive
    heads: Positive

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads = {self.heads} must divide width = {self.width}")
        return self
