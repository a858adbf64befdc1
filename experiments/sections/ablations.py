"""The profile section of the variants of fine-tuning that are compared."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen
from experiments.sections.training import Positive

Text = Annotated[str, Field(min_length=1)]


class AblationsSection(Frozen):
    """Which variants to try besides the section `[lora]`, whose other settings they share.

    Each of `ranks` keeps the ratio of alpha to r. `attention_targets` are the attention's layers alone.
    Full fine-tuning takes `full_learning_rate`, since it has no alpha to scale by. Intervals come from
    `resamples` draws with `seed`.
    """

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=100)]
    ranks: tuple[Positive, ...]
    attention_targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    full_learning_rate: Annotated[float, Field(gt=0)]
