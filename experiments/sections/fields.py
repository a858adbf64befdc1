"""Types of values that several sections of a profile have."""

from typing import Annotated, Literal

from pydantic import Field

Positive = Annotated[int, Field(ge=1)]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
Text = Annotated[str, Field(min_length=1)]
