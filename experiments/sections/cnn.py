"""The profile section of the convolutional network."""

from typing import Annotated

from pydantic import Field

from experiments.sections.fields import Positive
from experiments.sections.training import TrainingSection


class CnnSection(TrainingSection):
    """A CNN with one block of two convolutions per entry of `widths` (channels).

    Each block halves height and width.
    """

    widths: Annotated[tuple[Positive, ...], Field(min_length=1)]
