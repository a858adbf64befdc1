"""What stands around every result on disk: which stage made it, from what, and under which circumstances."""

from typing import Any, Generic, TypeVar

from pydantic import Field

from pipeline.frozen import Frozen

Value = TypeVar("Value")


class Ingredients(Frozen):
    """All that a result's key is made of; comparing two of these says why a result is stale.

    `config` is the part of the profile that the stage is given, `inputs` are the keys of the results that it
    builds on, `data` the fingerprint of its data, `code` the fingerprint of each module that it reaches.
    """

    config: dict[str, Any]
    inputs: dict[str, str]
    data: str | None
    code: dict[str, str]


class Provenance(Frozen):
    """The circumstances of a run: recorded for the reader, never part of a key.

    `commit` is None outside a git checkout; `modified` tells whether the code or the profiles held
    uncommitted changes. `started` is UTC in ISO 8601, `seconds` wall-clock time.
    """

    ingredients: Ingredients
    commit: str | None
    modified: bool
    started: str
    seconds: float
    seed: int | None
    device: str
    threads: int
    python: str
    versions: dict[str, str]


class Envelope(Frozen, Generic[Value]):
    """One file under `results/`; what its value names as attachments stands in the folder of the stage.

    `artefacts` are the SHA-256 of what the stage left in its scratch folder, by name.
    """

    stage: str
    profile: str
    key: str
    provenance: Provenance
    artefacts: dict[str, str] = Field(default_factory=dict)
    value: Value
