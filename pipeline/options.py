"""The options of a run: a TOML file, read strictly, and refused in sentences that say which key is wrong."""

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, RootModel, ValidationError

from pipeline.errors import UserError, reason

Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 80
"""Characters of a wrong value at most."""


def read(path: Path, model: type[Model], root: Path | None = None, **known: Any) -> Model:
    """Read a TOML file as a `model`; what is `known` beside the file is no key of it.

    `root` is the folder at which paths in it start, which validators of the model have as their context.

    Raises:
        UserError: if the file cannot be read, or for each thing in it that is not allowed.
    """
    shown = f"{path.parent.name}/{path.name}"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        # Through JSON, where an array is what a tuple looks like: strict types would refuse a list.
        as_json = json.dumps({**known, **content}, default=str)
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UserError(f"{shown} is not valid TOML: {reason(error)}.") from error
    except RecursionError as error:
        raise UserError(f"{shown} is nested too deep to be read: mend it.") from error
    except OSError as error:
        raise UserError(f"{shown} cannot be read ({error.strerror}): allow it, or mend it.") from error
    for name in known:
        if name in content:
            raise UserError(f"{shown}: {name} is not a key of a profile; the file's name is its name.")
    try:
        return model.model_validate_json(as_json, context=root)
    except ValidationError as error:
        problems = [each for each in error.errors() if not _is_counted_twice(each, error.errors())]
        raise UserError("\n".join(_sentence(shown, model, known, each) for each in problems)) from error


def _is_counted_twice(problem: Any, problems: list[Any]) -> bool:
    """Tell whether a list is called too short only since one of its items, which is told too, is wrong."""
    place = problem["loc"]
    below = (other["loc"] for other in problems if len(other["loc"]) > len(place))
    return problem["type"] == "too_short" and any(other[: len(place)] == place for other in below)


def _sentence(file: str, model: type[BaseModel], known: dict[str, Any], problem: Any) -> str:
    """Say in one sentence which key is wrong, what was found there and what is allowed."""
    key, fields = _key_and_fields(model, problem["loc"])
    context = problem.get("ctx", {})
    tag = f"{key}.{context.get('discriminator', '').strip(chr(39))}"
    match problem["type"]:
        case "json_invalid":  # which reads less deep than was written
            return f"{file} is nested too deep to be read: mend it."
        case "extra_forbidden":
            allowed = ", ".join(name for name in fields if "." in key or name not in known)
            return f"{file}: {key} is not a known key; allowed here: {allowed}."
        case "missing":
            return f"{file}: {key} is missing; it is required."
        case "union_tag_not_found":
            return f"{file}: {tag} is missing; it is required."
        case "union_tag_invalid":
            return f"{file}: {tag} is {context['tag']!r}; allowed is one of {context['expected_tags']}."
        case _:
            rule = problem["msg"].removeprefix("Value error, ")
            rule = rule[0].lower() + rule[1:]
            found = json.dumps(problem["input"], ensure_ascii=False)
            found = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}…"
            return f"{file}: {key} is {found}; {rule}." if key else f"{file}: {rule}."


def _key_and_fields(model: type[BaseModel], location: tuple[str | int, ...]) -> tuple[str, list[str]]:
    """Return the key at pydantic's `location` as the file writes it, and the keys allowed beside it.

    A location also holds the tag of each union passed through, which is no key of the file.
    """
    models: list[type[BaseModel]] = [model]
    key, fields = "", list(model.model_fields)
    for step in location:
        if isinstance(step, int):
            key += f"[{step}]"
            continue
        roots = [each for each in models if issubclass(each, RootModel)]
        if roots:  # whose keys are the file's own, such as the names of languages
            key = f"{key}.{step}".lstrip(".")
            models = [inner for each in roots for inner in _models_in(_annotation(each, "root"))]
            continue
        fields = [name for each in models for name in each.model_fields]
        tagged = [each for each in models if step in get_args(_annotation(each, "kind"))]
        if tagged and len(models) > 1:  # a tag, also where a field is called like it
            models = tagged
            continue
        key = f"{key}.{step}".lstrip(".")
        models = [inner for each in models for inner in _models_in(_annotation(each, step))]
    return key, fields


def _annotation(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation if field in model.model_fields else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
