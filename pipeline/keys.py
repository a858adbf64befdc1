"""The key of a result: the hash of all that determines it.

That is the stage's part of the profile, the results of its inputs as they are stored, the content of its
data, its code and that of what loads its data. Nothing else is consulted, and nothing of what can be made
again.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import manifest, store
from pipeline.closure import Code
from pipeline.envelope import Envelope, Ingredients, Input, digest
from pipeline.errors import UserError
from pipeline.files import write_whole
from pipeline.project import Project
from pipeline.stage import Data, Identity, Stage


class UnknownData(UserError):
    """What a part of the profile names cannot be told: it is neither there nor recorded, or is of no use."""


@dataclass(frozen=True)
class Today:
    """What was found out of today's stages, data and stored results, by name, since several stages share it.

    `code` is that of the project, as it was when it was first looked at.
    """

    code: Code
    ingredients: dict[str, Ingredients] = field(default_factory=dict)
    data: dict[str, Identity | UnknownData] = field(default_factory=dict)
    results: dict[str, Envelope[Any] | None] = field(default_factory=dict)
    followed: dict[tuple[str, bool], str] = field(default_factory=dict)


def ingredients(project: Project[Any], name: str, today: Today | None = None) -> Ingredients:
    """Return all that determines the result of stage `name`, as far as `today` does not hold it already.

    Raises:
        UnknownData: if data cannot be told that it, or a stage that it builds on, reads.
    """
    today = today or Today(Code(project.root))
    if name not in today.ingredients:
        stage = project.stage(name)
        code = code_of(project, stage, today.code)  # before the data, which may take minutes to read
        today.ingredients[name] = Ingredients(
            config=getattr(project.profile, stage.config).model_dump(mode="json"),
            inputs={source: _input(project, stage, source, today) for source in stage.inputs},
            data={data.name: identity(project, data, today).sha256 for data in stage.data},
            code=code,
        )
    return today.ingredients[name]


def made_from(project: Project[Any], name: str, today: Today) -> Ingredients:
    """Return what a result of stage `name` is made from that is computed now: its inputs as they are stored.

    They have today's keys, unless data changed since they were found fresh.
    """
    parts = ingredients(project, name, today)
    inputs = {
        source: found and found.model_copy(update={"key": store.read(project, source).key})
        for source, found in parts.inputs.items()
    }
    return parts.model_copy(update={"inputs": inputs})


def code_of(project: Project[Any], stage: Stage, code: Code) -> dict[str, str]:
    """Return the fingerprint of all that a stage's function, or what loads its data, reaches.

    The names of these functions, ``"module:function"``, are among it, with a hash of what each is for, and
    the modules between the engine and a stage.
    """
    called = {stage.function: ["to compute"]}
    for data, loader in _loaders(project, stage.data).items():
        called.setdefault(loader, []).append(data)
    found = {function: digest(what) for function, what in called.items()}
    for function in called:
        found |= code.closure(function.partition(":")[0])
    found |= {module: code.own(module) for module in project.between}
    return dict(sorted(found.items()))


def result(project: Project[Any], name: str, today: Today) -> Envelope[Any] | None:
    """Return the stored result of stage `name`, fresh or stale, None where none can be read."""
    if name not in today.results:
        try:
            today.results[name] = store.read(project, name)
        except UserError:
            today.results[name] = None
    return today.results[name]


def _input(project: Project[Any], stage: Stage, source: str, today: Today) -> Input | None:
    """Return what a stage follows of one of its inputs: today's key of it, and what is stored.

    A result that is missing is taken to be the one that the stage's own was made from, as long as its key is
    today's: else deleting a file would make stale what builds on it.
    """
    found = result(project, source, today)
    if found is None and source in stage.optional:
        return None
    expected = key(ingredients(project, source, today))
    if found is not None:
        return Input(
            key=expected,
            precision=found.value.precision_used(),
            artefacts=found.artefacts,
            value=_followed_today(stage, source, found, today),
        )
    own = result(project, stage.name, today)
    recorded = own.provenance.ingredients.inputs.get(source) if own else None
    if recorded is not None and recorded.key == expected:
        return recorded
    return Input(key=expected, precision=None, artefacts={}, value="")


def _followed_today(stage: Stage, source: str, found: Envelope[Any], today: Today) -> str:
    name = source, source in stage.costs
    if name not in today.followed:
        today.followed[name] = followed(stage, source, found)
    return today.followed[name]


def followed(stage: Stage, source: str, found: Envelope[Any]) -> str:
    """Return the hash of what a stage follows of an input's value: its costs only where it passes them on."""
    return digest(found.value, frozenset() if source in stage.costs else found.value.COSTS)


def key(parts: Ingredients) -> str:
    """Return the key of a result made from `parts`: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def code_digest(code: Code, module: str) -> str:
    """Return one hash of a module and of all first-party modules that it reaches."""
    return hashlib.sha256(json.dumps(code.closure(module)).encode()).hexdigest()


def identity(project: Project[Any], data: Data, today: Today) -> Identity:
    """Return what it is that a part of the profile names outside the project, as far as `today` lacks it.

    Raises:
        UnknownData: if that cannot be told.
    """
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


def prepared_digest(project: Project[Any], data: Data, fingerprint: str, code: Code) -> str:
    """Return a hash of data and of the code that loads them: it addresses what is made of them once.

    Files that are as they were before, but were others in between, are not taken for the same.

    Raises:
        UserError: if the data are no longer those of this fingerprint.
    """
    now = require_same(project, data, fingerprint, code)
    loaders = _loaders(project, (data,)).values()
    code_of_loaders = [(loader, code_digest(code, loader.partition(":")[0])) for loader in loaders]
    between = [code.own(module) for module in project.between]
    return digest([fingerprint, now.state, code_of_loaders, between])


def require_same(project: Project[Any], data: Data, fingerprint: str, code: Code) -> Identity:
    """Return what data are, if they are still those of a fingerprint.

    Raises:
        UserError: if they are others by now, or cannot be told.
    """
    now = identity(project, data, Today(code))
    if now.sha256 != fingerprint:
        raise UserError(f"What [{data.name}] names changed just now: run the same command again.")
    return now


def _loaders(project: Project[Any], data: Iterable[Data]) -> dict[str, str]:
    """Return the function that loads data, ``"module:function"``, by their name, where we have one."""
    named = {each.name: each.loader(getattr(project.profile, each.name)) for each in data}
    return {name: loader for name, loader in named.items() if loader is not None}


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
    if lines is None:
        path.unlink(missing_ok=True)  # of files that the part named once
    else:
        write_whole(path, "".join(lines).encode("utf-8", "surrogateescape"))
