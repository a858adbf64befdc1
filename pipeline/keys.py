"""The key of a result: the hash of all that determines it.

That is the stage's part of the profile, the keys of its inputs, the content of its data and its code. Nothing
else is consulted.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import manifest
from pipeline.closure import closure
from pipeline.envelope import Ingredients
from pipeline.files import write_whole
from pipeline.project import Project
from pipeline.stage import Data, Stage


@dataclass(frozen=True)
class Today:
    """What was found out of today's stages and data, by name, since several stages share it."""

    ingredients: dict[str, Ingredients] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)


def ingredients(project: Project[Any], name: str, today: Today | None = None) -> Ingredients:
    """Return all that determines the result of stage `name`, as far as `today` does not hold it already."""
    today = today or Today()
    if name not in today.ingredients:
        stage = project.stage(name)
        today.ingredients[name] = Ingredients(
            config=getattr(project.profile, stage.config).model_dump(mode="json"),
            inputs={source: key(ingredients(project, source, today)) for source in stage.inputs},
            data=_data(project, stage, today),
            code=closure(stage.function.partition(":")[0], project.root),
        )
    return today.ingredients[name]


def key(parts: Ingredients) -> str:
    """Return the key of a result made from `parts`: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _data(project: Project[Any], stage: Stage, today: Today) -> str | None:
    """Return the fingerprint of all data that a stage reads: of one its own, of several one over all."""
    for data in stage.data:
        if data.name not in today.data:
            today.data[data.name] = data_of(project, data)
    prints = [today.data[data.name] for data in stage.data]
    if len(prints) < 2:
        return prints[0] if prints else None
    return hashlib.sha256(json.dumps(prints).encode()).hexdigest()


def data_of(project: Project[Any], data: Data) -> str:
    """Return the fingerprint of what a part of the profile names outside the project."""
    return data.identify(getattr(project.profile, data.name), project.root, manifest_path(project, data))


def manifest_path(project: Project[Any], data: Data) -> Path:
    """Return where the manifest of a user's own files stands that a part of the profile names."""
    return project.results / f"{data.name}.sha256"


def manifest_digest(project: Project[Any], data: Data) -> tuple[str, int] | None:
    """Return the hash of the manifest of a user's own files and their number, None if there are none."""
    path = manifest_path(project, data)
    lines = data.manifest(getattr(project.profile, data.name), project.root, path)
    return None if lines is None else manifest.digest(lines)


def record_manifest(project: Project[Any], data: Data) -> None:
    """Write the manifest of a user's own files beside the results that are made of them."""
    path = manifest_path(project, data)
    lines = data.manifest(getattr(project.profile, data.name), project.root, path)
    if lines is not None:
        write_whole(path, "".join(lines).encode("utf-8", "surrogateescape"))
