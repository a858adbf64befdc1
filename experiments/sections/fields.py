"""Types of values that several sections of a profile have."""

from typing import Annotated

from pydantic import Field

Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]
