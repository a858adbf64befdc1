"""Whether results on disk are what today's profile, code and data would give, and if not, why.

A result is fresh when the key that it was stored under is the key of today.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import ValidationError

from pipeline import keys, store
from pipeline.envelope import Envelope, Ingredients
from pipeline.errors import first_few
from pipeline.frozen import Frozen
from pipeline.project import Project


NEVER = "it was never computed"


class Freshness(Frozen):
    """Whether a stage's result on disk is what its code, profile and data would give today.

    `why` is empty for a fresh result; `key` is the key that a fresh result has.
    """

    state: Literal["fresh", "stale", "missing"]
    why: tuple[str, ...]
    key: str


def of(project: Project[Any], name: str) -> Freshness:
    """Say whether the result of stage `name` is fresh, stale or missing, and why."""
    return states(project, [name])[name]


def states(project: Project[Any], names: Iterable[str]) -> dict[str, Freshness]:
    """Say of each of several stages what `of` says, reading the data that they share once."""
    today = keys.Today()
    return {name: _of(project, name, keys.ingredients(project, name, today)) for name in names}


def _of(project: Project[Any], name: str, today: Ingredients) -> Freshness:
    expected = keys.key(today)
    path = store.path_of(project, name)
    if not path.is_file():
        return Freshness(state="missing", why=(NEVER,), key=expected)
    content = path.read_bytes()
    try:
        stored = Envelope[Any].model_validate_json(content)
    except ValidationError:
        if not _is_older(content, name):
            return Freshness(state="missing", why=(f"{path.name} cannot be read as a result",), key=expected)
        why = "its file has the form of an earlier version, and stays until it is computed again"
        return Freshness(state="stale", why=(why,), key=expected)
    if gone := store.damaged(project, name):
        why = f"beside it these are gone or altered: {first_few(gone, 1)}"
        return Freshness(state="missing", why=(why,), key=expected)
    if stored.key == expected:
        return Freshness(state="fresh", why=(), key=expected)
    changes = (*_changes(stored.provenance.ingredients, today),) or (
        "its key does not match its ingredients",
    )
    return Freshness(state="stale", why=changes, key=expected)


def _is_older(content: bytes, name: str) -> bool:
    """Tell whether a file is a whole result of a stage that was written in another form than today's."""
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("stage") == name and {"key", "value"} <= set(found)


def _changes(old: Ingredients, new: Ingredients) -> list[str]:
    """Name every ingredient that differs, one phrase each."""
    changes = [f"profile: {change}" for change in _differences(old.config, new.config)]
    changes += [f"input: the result of {name} is another" for name in _changed(old.inputs, new.inputs)]
    if old.data != new.data:
        changes.append("data: the data set is another")
    for module in _changed(old.code, new.code):
        verb = "is new" if module not in old.code else "is gone" if module not in new.code else "has changed"
        changes.append(f"code: {module} {verb}")
    return changes


def _changed(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]


def _differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Name the leaves in which two pieces of JSON differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return [
            phrase
            for name in names
            for phrase in _differences(old.get(name), new.get(name), f"{where}.{name}".lstrip("."))
        ]
    return [f"{where} was {json.dumps(old)}, is {json.dumps(new)}"] if old != new else []
