"""The profile section on the tests behind the report's claims."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen


class EvidenceSection(Frozen):
    """Intervals and bootstrap tests come from `resamples` draws with `seed`.

    `significance` is the probability of one false claim or more among all tests that is tolerated.
    """

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=100)]
    significance: Annotated[float, Field(gt=0, lt=0.5)]
