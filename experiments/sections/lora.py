"""The profile section of fine-tuning by low-rank adaptation."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen
from experiments.sections.fields import Positive, Text


class LoraSection(Frozen):
    """Rank `r`, scale `alpha` and the adapted modules, and how long and how fast to tune.

    `targets` are the last parts of the names of linear layers of the captioner's network. The learning
    rate falls linearly to 0.
    """

    seed: Annotated[int, Field(ge=0)]
    r: Positive
    alpha: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
