"""Content-addressed results: keys, freshness, reading and writing.

A key is the hash of all that determines a result (`Ingredients`); a result is fresh when the key it
was stored under is the key that today's profile, code and data give. Nothing else is consulted.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments import manifest
from experiments.atomic import write_whole
from experiments.closure import closure
from experiments.datasets.fingerprints import fingerprint, manifest_of
from experiments.errors import UserError
from experiments.project import Project
from experiments.results.attachment import Attachment
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


def with_inputs(project: Project, names: Iterable[str]) -> list[str]:
    """Return the named stages and all they build on, in the pipeline's order.

    Raises:
        UserError: if there is no stage of such a name.
    """
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        stage = stage_of(project, waiting.pop())
        wanted.add(stage.name)
        waiting.extend(stage.inputs)
    return [name for name in project.stages if name in wanted]


@dataclass(frozen=True)
class _Today:
    """What was found out of today's stages and data, by name, since several stages share it."""

    ingredients: dict[str, Ingredients] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)


def ingredients(project: Project, name: str) -> Ingredients:
    """Return all that determines the result of stage `name` today."""
    return _ingredients(project, name, _Today())


def _ingredients(project: Project, name: str, today: _Today) -> Ingredients:
    if name not in today.ingredients:
        stage = stage_of(project, name)
        today.ingredients[name] = Ingredients(
            section=getattr(project.profile, stage.section).model_dump(mode="json"),
            inputs={source: key(_ingredients(project, source, today)) for source in stage.inputs},
            data=_data(project, stage, today),
            code=closure(stage.function.partition(":")[0], project.root),
        )
    return today.ingredients[name]


def _data(project: Project, stage: Stage, today: _Today) -> str | None:
    """Return the fingerprint of all data sets that a stage reads: of one its own, of several one over all."""
    for section in stage.data:
        if section not in today.data:
            today.data[section] = data_of(project, section)
    prints = [today.data[section] for section in stage.data]
    if len(prints) < 2:
        return prints[0] if prints else None
    return hashlib.sha256(json.dumps(prints).encode()).hexdigest()


def data_of(project: Project, section: str) -> str:
    """Return the fingerprint of what a part of the profile reads from outside."""
    return fingerprint(getattr(project.profile, section), project.root, _manifest_path(project, section))


def prepared_folder(project: Project) -> Path:
    """Return the folder for what is made once of the profile's classification images, whichever profile."""
    return project.downloads.with_name("prepared") / data_of(project, "images")[:16]


def manifest_digest(project: Project, section: str) -> tuple[str, int] | None:
    """Return the hash of the manifest of a user's own files and their number, None if there are none."""
    lines = manifest_of(getattr(project.profile, section), project.root, _manifest_path(project, section))
    return None if lines is None else manifest.digest(lines)


def record_manifest(project: Project, section: str) -> None:
    """Keep the manifest of a user's own files beside the results that are made of them."""
    path = _manifest_path(project, section)
    lines = manifest_of(getattr(project.profile, section), project.root, path)
    if lines is not None:
        write_whole(path, "".join(lines).encode("utf-8", "surrogateescape"))


def key(parts: Ingredients) -> str:
    """Return the key of a result made from `parts`: 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def states(project: Project, names: Iterable[str]) -> dict[str, Freshness]:
    """Say of each of several stages what `freshness` says, reading the data that they share once."""
    today = _Today()
    return {name: _freshness(project, name, _ingredients(project, name, today)) for name in names}


def freshness(project: Project, name: str) -> Freshness:
    """Say whether the result of stage `name` is fresh, stale or missing, and why."""
    return _freshness(project, name, ingredients(project, name))


def _freshness(project: Project, name: str, today: Ingredients) -> Freshness:
    expected = key(today)
    path = path_of(project, name)
    if not path.is_file():
        return Freshness(state="missing", why=("it was never computed",), key=expected)
    try:
        stored = Envelope[Any].model_validate_json(path.read_bytes())
    except ValidationError:
        return Freshness(state="missing", why=(f"{path.name} cannot be read as a result",), key=expected)
    gone = [kept.file for kept in _attachments(project, name) if not _is_whole(project, name, kept)]
    if gone:
        why = f"{gone[0]} beside it is gone or altered" + (f", and {len(gone) - 1} more" if gone[1:] else "")
        return Freshness(state="missing", why=(why,), key=expected)
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


def attachment_of(project: Project, name: str, file: str) -> Path:
    """Return where the file called `file` beside the result of stage `name` stands."""
    return project.results / name / file


def attachment(file: str, content: bytes) -> Attachment:
    """Return how a file beside a result is referred to.

    The beginning of its hash becomes part of the file's name: what an earlier result refers to stays.
    """
    sha256, path = hashlib.sha256(content).hexdigest(), Path(file)
    return Attachment(file=f"{path.stem}-{sha256[:8]}{path.suffix}", sha256=sha256)


def attach(project: Project, name: str, file: str, content: bytes) -> Attachment:
    """Keep `content` beside the result of stage `name`, before that is written, as `attachment` says."""
    kept = attachment(file, content)
    if not _is_whole(project, name, kept):
        write_whole(attachment_of(project, name, kept.file), content)
    return kept


def write(project: Project, envelope: Envelope[Any]) -> None:
    """Write a result whole: a killed writer leaves what stood there before.

    Then files beside it that only an earlier result referred to are deleted.
    """
    write_whole(path_of(project, envelope.stage), _dumps(envelope.model_dump(mode="json")).encode())
    kept = {attachment.file for attachment in _named(envelope.value)}
    for path in attachment_of(project, envelope.stage, "").glob("*"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _manifest_path(project: Project, section: str) -> Path:
    """Return where the manifest of a user's own files stands that a part of the profile names."""
    return project.results / f"{section}.sha256"


def _attachments(project: Project, name: str) -> tuple[Attachment, ...]:
    """Return the files that the stored result of stage `name` names, none if it is not of today's type."""
    if not hasattr(project.stages[name].result, "attachments"):
        return ()
    try:
        return _named(read(project, name).value)
    except UserError:
        return ()


def _named(value: Any) -> tuple[Attachment, ...]:
    return getattr(value, "attachments", tuple)()


def _is_whole(project: Project, name: str, attachment: Attachment) -> bool:
    path = attachment_of(project, name, attachment.file)
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == attachment.sha256


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
