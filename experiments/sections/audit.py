"""The profile section on the audit of stated and published figures."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen


class AuditSection(Frozen):
    """`tolerance` is how near a measured accuracy must come to a stated one to agree with it (0.01: a point).

    Two evaluations of the same weights differ by as much through prompts, resizing and rounding.
    """

    tolerance: Annotated[float, Field(ge=0, lt=0.5)]
