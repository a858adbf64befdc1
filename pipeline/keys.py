"""The key of a result: the hash of all that determines it.

That is the stage's part of the profile, the keys of its inputs, the content of its data, its code and that of
what loads its data. Nothing else is consulted.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import manifest
from pipeline.closure import closure
from pipeline.envelope import Ingredients
from pipeline.errors import UserError
from pipeline.files import write_whole
from pipeline.project import Project
from pipeline.stage import Data, Identity, Stage


class UnknownData(UserError):
    """What a part of the profile names cannot be told: it is neither there nor recorded, or is of no use."""


@dataclass(frozen=True)
class Today:
    """What was found out of today's stages and data, by name, since several stages share it."""

    ingredients: dict[str, Ingredients] = field(default_factory=dict)
    data: dict[str, Identity | UnknownData] = field(default_factory=dict)


def ingredients(project: Project[Any], name: str, today: Today | None = None) -> Ingredients:
    """Return all that determines the result of stage `name`, as far as `today` does not hold it already.

    Raises:
        UnknownData: if data cannot be told that it, or a stage that it builds on, reads.
    """
    today = today or Today()
    if name not in today.ingredients:
        stage = project.stage(name)
        today.ingredients[name] = Ingredients(
            config=getattr(project.profile, stage.config).model_dump(mode="json"),
            inputs={source: key(ingredients(project, source, today)) for source in stage.inputs},
            data={data.name: identity(project, data, today).sha256 for data in stage.data},
            code=_code(project, stage),
        )
    return today.ingredients[name]


def key(parts: Ingredients) -> str:
    """Return the key of a result made from `parts`: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def identity(project: Project[Any], data: Data, today: Today | None = None) -> Identity:
    """Return what it is that a part of the profile names outside the project.

    Raises:
        UnknownData: if that cannot be told.
    """
    today = today or Today()
    if data.name not in today.data:
        part = getattr(project.profile, data.name)
        try:
            today.data[data.name] = data.identify(part, project.root, manifest_path(project, data))
        except UserError as error:
            today.data[data.name] = UnknownData(str(error))
    found = today.data[data.name]
    if isinstance(found, UnknownData):
        raise found
    return found


def code_digest(project: Project[Any], module: str) -> str:
    """Return one hash of a module and of all first-party modules that it reaches."""
    return hashlib.sha256(json.dumps(closure(module, project.root)).encode()).hexdigest()


def prepared_digest(project: Project[Any], data: Data) -> str:
    """Return a hash of data and of the code that loads them: it addresses what is made of them once."""
    digest = identity(project, data).sha256
    for module in _loaders(project, (data,)):
        digest += code_digest(project, module)
    return hashlib.sha256(digest.encode()).hexdigest()


def _code(project: Project[Any], stage: Stage) -> dict[str, str]:
    """Return the fingerprints of all modules that a stage's function and what loads its data reach."""
    found: dict[str, str] = {}
    for module in (stage.function.partition(":")[0], *_loaders(project, stage.data)):
        found |= closure(module, project.root)
    return dict(sorted(found.items()))


def _loaders(project: Project[Any], data: Iterable[Data]) -> list[str]:
    """Return the modules that load data."""
    named = (each.loader(getattr(project.profile, each.name)) for each in data)
    return [loader.partition(":")[0] for loader in named if loader is not None]


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
