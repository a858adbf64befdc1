"""The profile section of the vision transformer."""

from typing import Self

from pydantic import model_validator

from experiments.sections.fields import Positive
from experiments.sections.training import TrainingSection


class VitSection(TrainingSection):
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
