"""What stands around every result on disk: which stage made it, from what, and under which circumstances."""

import hashlib
import json
from collections.abc import Mapping, Set
from typing import Any, Generic, TypeVar

from pydantic_core import to_jsonable_python

from pipeline.frozen import Frozen

Value = TypeVar("Value")


class Input(Frozen):
    """The stored result of an input, as far as what is made from it may depend on it.

    `key` is its key and `precision` the one that it was computed at; `artefacts` are the SHA-256 of the files
    that its stage left, by name, and `value` that of its value without what computing it cost.
    """

    key: str
    precision: str | None
    artefacts: dict[str, str]
    value: str


class Ingredients(Frozen):
    """All that a result's key is made of; comparing two of these says why a result is stale.

    `config` is the part of the profile that the stage is given, `inputs` are the results that it builds on,
    None where one is missing that may be, `data` the fingerprints of its data by name, `code` the fingerprint
    of all that the stage's function, or what loads its data, reaches, and the names of these functions.
    """

    config: dict[str, Any]
    inputs: dict[str, Input | None]
    data: dict[str, str]
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

    `seal` is the hash of all else that the file says, and made when that is written; `artefacts` are the
    SHA-256 of each file that the stage left in its scratch folder for others, by name.
    """

    stage: str
    profile: str
    key: str
    provenance: Provenance
    seal: str = ""
    artefacts: dict[str, str]
    value: Value


def digest(value: Any, without: Set[str] = frozenset()) -> str:
    """Return the SHA-256 of a value's JSON, whatever its layout; fields named in `without` do not count."""
    content = _canonical(to_jsonable_python(value), without)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def seal(written: Mapping[str, Any]) -> str:
    """Return the hash of all that a result's file says but its seal: no part can be altered, or another's."""
    return digest({name: part for name, part in written.items() if name != "seal"})


def _canonical(value: Any, without: Set[str]) -> Any:
    if type(value) is float:
        # One number, however it is written: a type may read 1 as 1.0.
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _canonical(item, without) for name, item in value.items() if name not in without}
    if isinstance(value, list):  # which can hold a number for each of thousands of images
        return [item if type(item) in _AS_THEY_ARE else _canonical(item, without) for item in value]
    return value


_AS_THEY_ARE = frozenset({int, bool, str, type(None)})
