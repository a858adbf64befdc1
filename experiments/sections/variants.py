"""The profile section of the other ways of tuning that are tried."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen
from experiments.sections.fields import Positive, Text


class VariantsSection(Frozen):
    """Which variants to try besides the section `[lora]`, whose other settings they share.

    Each of `ranks` keeps the ratio of alpha to r. `attention_targets` are the attention's layers alone.
    Full fine-tuning takes `full_learning_rate`, since it has no alpha to scale by.
    """

    ranks: tuple[Positive, ...]
    attention_targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    full_learning_rate: Annotated[float, Field(gt=0)]
