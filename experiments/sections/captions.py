"""The profile section of the comparison of captions."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen

Share = Annotated[float, Field(ge=0, le=1)]


class CaptionsSection(Frozen):
    """How differences are estimated, and which photos serve as examples.

    Intervals come from `resamples` draws with `seed`. The examples are the evaluation photos whose change
    of score stands at these shares of all changes in rising order.
    """

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=100)]
    example_quantiles: Annotated[tuple[Share, ...], Field(min_length=1)]
