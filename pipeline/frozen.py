"""The base of everything that is read from a profile or written to `results/`."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A strict, immutable record: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
