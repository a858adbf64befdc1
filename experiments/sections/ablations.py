"""The profile section on how the variants of tuning are compared."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen


class AblationsSection(Frozen):
    """Intervals come from `resamples` draws with `seed`."""

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=100)]
