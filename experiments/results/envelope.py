"""What stands around every result on disk: which stage made it, from what, and under which circumstances."""

from typing import Any, Generic, Literal, TypeVar

from experiments.frozen import Frozen

Value = TypeVar("Value")


class Ingredients(Frozen):
    """All that a result's key is made of; comparing two of these says why a result is stale.

    `section` is the stage's section of the profile, `inputs` the keys of the results it builds on,
    `data` the fingerprint of its data set, `code` the fingerprint of each module that it reaches.
    """

    section: dict[str, Any]
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
    """One file under `results/`.

    A value with a method `attachments` names so the files that stand beside it, in the folder named after
    the stage.
    """

    stage: str
    profile: str
    key: str
    provenance: Provenance
    value: Value


class Freshness(Frozen):
    """Whether a stage's result on disk is what its code, profile and data would give today.

    `why` is empty for a fresh result; `key` is the key that a fresh result has.
    """

    state: Literal["fresh", "stale", "missing"]
    why: tuple[str, ...]
    key: str
