"""Content-addressed results: keys, freshness, reading and writing.

A key is the hash of all that determines a result (`Ingredients`); a result is fresh when the key it
was stored under is the key that today's profile, code and data give. Nothing else is consulted.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments.atomic import write_whole
from experiments.closure import closure
from experiments.datasets.fingerprints import fingerprint
from experiments.errors import UserError
from experiments.project import Project
from experiments.results.envelope import Envelope, Freshness, Ingredients
from experiments.stages import Stage


def path_of(project: Project, name: str) -> Path:
    """Return where the result of stage `name` stands."""
    return project.results / f"{name}.json"


def stage_of(project: Project, name: str) -> Stage:
    """Return the stage called `name`.

    Raises:
        UserError: if there is none.
    """
    if name not in project.stages:
        raise UserError(f"There is no stage {name!r}; the stages are {', '.join(project.stages)}.")
    return project.stages[name]


def ingredients(project: Project, name: str) -> Ingredients:
    """Return all that determines the result of stage `name` today."""
    stage = stage_of(project, name)
    section = getattr(project.profile, stage.section)
    data = getattr(project.profile, stage.data) if stage.data else None
    return Ingredients(
        section=section.model_dump(mode="json"),
        inputs={source: key(ingredients(project, source)) for source in stage.inputs},
        data=fingerprint(data, project.root) if data else None,
        code=closure(stage.function.partition(":")[0], project.root),
    )


def key(parts: Ingredients) -> str:
    """Return the key of a result made from `parts`: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def freshness(project: Project, name: str) -> Freshness:
    """Say whether the result of stage `name` is fresh, stale or missing, and why."""
    today = ingredients(project, name)
    expected = key(today)
    path = path_of(project, name)
    if not path.is_file():
        return Freshness(state="missing", why=("it was never computed",), key=expected)
    try:
        stored = Envelope[Any].model_validate_json(path.read_bytes())
    except ValidationError:
        return Freshness(state="missing", why=(f"{path.name} cannot be read as a result",), key=expected)
    if stored.key == expected:
        return Freshness(state="fresh", why=(), key=expected)
    changes = (*_changes(stored.provenance.ingredients, today),) or (
        "its key does not match its ingredients",
    )
    return Freshness(state="stale", why=changes, key=expected)


def read(project: Project, name: str) -> Envelope[Any]:
    """Read the result of stage `name`, fresh or stale, its value checked against the stage's type.

    Raises:
        UserError: if it is missing, or was written by code whose results looked different.
    """
    path = path_of(project, name)
    stage = stage_of(project, name)
    command = f"python -m experiments run {name} --profile {project.profile.name}"
    if not path.is_file():
        raise UserError(f"The result of stage {name} is missing: run `{command}`.")
    try:
        return Envelope[stage.result].model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UserError(f"{path} is not a result of today's stage {name}: run `{command}`.") from error


def write(project: Project, envelope: Envelope[Any]) -> None:
    """Write a result whole: a killed writer leaves what stood there before."""
    write_whole(path_of(project, envelope.stage), _dumps(envelope.model_dump(mode="json")).encode())


def _changes(old: Ingredients, new: Ingredients) -> list[str]:
    """Name every ingredient that differs, one phrase each."""
    changes = [f"profile: {change}" for change in _differences(old.section, new.section)]
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


def _dumps(value: Any, indent: int = 0) -> str:
    """Write JSON that is small and diffs well: one line a field, long lists of scalars wrapped."""
    inner, outer = "\n" + " " * (indent + 1), "\n" + " " * indent
    if isinstance(value, dict) and value:
        fields = (f"{json.dumps(name)}: {_dumps(item, indent + 1)}" for name, item in value.items())
        return "{" + inner + f",{inner}".join(fields) + outer + "}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[" + inner + f",{inner}".join(_dumps(item, indent + 1) for item in value) + outer + "]"
    if isinstance(value, list) and len(value) > 50:
        rows = (value[start : start + 50] for start in range(0, len(value), 50))
        return "[" + inner + f",{inner}".join(json.dumps(row)[1:-1] for row in rows) + outer + "]"
    return json.dumps(value, ensure_ascii=False)
