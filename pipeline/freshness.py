"""Whether results on disk are what today's profile, code and data would give, and if not, why.

A result is fresh when the key that it was stored under is the key of today, today's code can read it, and its
file says what was written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from pipeline import keys, store
from pipeline.closure import Code
from pipeline.envelope import Envelope, Ingredients, Input
from pipeline.errors import UserError, first_few
from pipeline.frozen import Frozen
from pipeline.project import Project

State = Literal["fresh", "stale", "missing"]


NEVER = "it was never computed"
ALTERED = "it was altered by hand"


class Freshness(Frozen):
    """Whether a stage's result on disk is what its code, profile and data would give today.

    `why` is empty for a fresh result; `key` is the key that a fresh result has, empty where the data that it
    would be made from cannot be told. `remarks` say which of the stage's data are not there and were judged
    by what was recorded of them.
    """

    state: State
    why: tuple[str, ...]
    key: str
    remarks: tuple[str, ...] = ()


def of(project: Project[Any], name: str, code: Code | None = None) -> Freshness:
    """Say whether the result of stage `name` is fresh, stale or missing, and why.

    Today's code is what stands on disk, unless it was read earlier and is given.
    """
    return _of(project, name, keys.Today(code or Code(project.root)))


def states(project: Project[Any], names: Iterable[str], code: Code | None = None) -> dict[str, Freshness]:
    """Say of each of several stages what `of` says, reading the data that they share once."""
    today, names = keys.Today(code or Code(project.root)), [*names]
    for stage in map(project.stage, names):
        # Before any data are read, which may take minutes: some of these modules are imported by now.
        keys.code_of(project, stage, today.code)
    return {name: _of(project, name, today) for name in names}


def _remark(data: str, absent: tuple[str, ...]) -> str:
    """Say what of a stage's data was judged by its record."""
    files = "1 file is" if len(absent) == 1 else f"{len(absent):,} files are"
    return f"of [{data}], {files} not on this machine and judged by the record ({first_few(absent, 3, ', ')})"


def _of(project: Project[Any], name: str, today: keys.Today) -> Freshness:
    """Judge a stage by itself: data that cannot be told concern only the stages that need them."""
    try:
        parts = keys.ingredients(project, name, today)
    except keys.UnknownData as error:
        is_there = keys.result(project, name, today) is not None
        state = "stale" if is_there else _unreadable(project, name)[0]
        return Freshness(state=state, why=(str(error),), key="")
    absent = {data.name: keys.identity(project, data, today).absent for data in project.stage(name).data}
    remarks = tuple(_remark(data, files) for data, files in absent.items() if files)
    return _compared(project, name, today, parts).model_copy(update={"remarks": remarks})


def _compared(project: Project[Any], name: str, today: keys.Today, parts: Ingredients) -> Freshness:
    expected = keys.key(parts)
    stored = keys.result(project, name, today)
    if stored is None:
        state, why = _unreadable(project, name)
        return Freshness(state=state, why=(why,), key=expected)
    if gone := store.damaged(project, name):
        why = f"beside it these are gone or altered: {first_few(gone, 1)}"
        return Freshness(state="missing", why=(why,), key=expected)
    reasons = [] if store.is_sealed(project, name) else [ALTERED]
    if stored.key != expected or stored.provenance.ingredients != parts:
        changes = changed(stored.provenance.ingredients, parts)
        reasons += changes or ["its key does not match its ingredients"]
    return Freshness(state="stale" if reasons else "fresh", why=(*reasons,), key=expected)


def _unreadable(project: Project[Any], name: str) -> tuple[State, str]:
    """Say of a result that cannot be read whether it counts as stale or as missing, and why."""
    path = store.path_of(project, name)
    try:
        content = store.content_of(project, name)
    except UserError as error:
        return "missing", str(error).removesuffix(".")
    if content is None:
        return "missing", NEVER
    try:
        found = Envelope[Any].model_validate_json(content)
    except ValidationError:
        if _is_older(content, name):
            why = "its file has the form of an earlier version, and stays until it is computed again"
            return "stale", why
        return "missing", f"{path.name} cannot be read as a result"
    if (found.stage, found.profile) != (name, project.name):
        return "missing", f"{path.name} holds the result of stage {found.stage} of profile {found.profile}"
    return "missing", "its result was written by code whose results looked different"


def _is_older(content: bytes, name: str) -> bool:
    """Tell whether a file is a whole result of a stage that was written in another form than today's."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("stage") == name and {"key", "value"} <= set(found)


def changed(old: Ingredients, new: Ingredients) -> list[str]:
    """Name every ingredient in which `new` differs from `old`, one phrase each."""
    changes = [f"profile: {change}" for change in _differences(old.config, new.config)]
    for name in differing(old.inputs, new.inputs):
        phrases = _of_input(name, old.inputs.get(name), new.inputs.get(name))
        changes += [f"input: {phrase}" for phrase in phrases]
    changes += [f"data: what [{name}] names is another" for name in differing(old.data, new.data)]
    changes += [f"code: {name} {_of_code(name, old, new)}" for name in differing(old.code, new.code)]
    return changes


def _of_code(name: str, old: Ingredients, new: Ingredients) -> str:
    """Say what happened to a module, a file beside it, or a function that is called by its name."""
    if ":" in name:
        return "is called no more" if name not in new.code else "is called for this now"
    return "is new" if name not in old.code else "is gone" if name not in new.code else "has changed"


def _of_input(name: str, old: Input | None, new: Input | None) -> Iterator[str]:
    """Say in what the result of an input is another than that which a result was made from."""
    if old is None or new is None:
        yield f"the result of {name} {'is there by now' if old is None else 'is missing'}"
    elif old.key != new.key:
        yield f"the result of {name} is another"
    else:
        if others := differing(old.artefacts, new.artefacts):
            yield f"{name} was made again and left another {first_few(others, 1, ', ')}"
        if old.precision != new.precision:
            yield f"{name} was computed in {old.precision}, now in {new.precision}"
        if old.value != new.value:
            yield f"the result of {name} has another value"


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names, sorted, under which two mappings hold something else or only one holds anything."""
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
