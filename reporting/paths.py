"""Which paths name something in the results: by the types of results, whether or not these are there yet."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from pipeline.errors import first_few
from pipeline.result import Attachment, Estimate, Result
from reporting.numbers import Numbers

_FEW = 12
"""How many things a list may hold to be listed one by one."""
_LONGEST = 90
_UNTOLD = (
    *("key", "kind", "family", "unit", "better", "index", "label", "prediction", "quantiles", "examples"),
    *("stages", "verdict", "chosen_among", "seed", "sha256", "labels_sha256", "url", "resamples", "revision"),
)
"""What nobody would put into a sentence."""


def fits(kind: Any, steps: Sequence[str]) -> bool:
    """Tell whether steps lead anywhere from a value of the type `kind`; what a list holds is not known."""
    if not steps:
        return True
    if get_origin(kind) in {Union, UnionType}:
        return any(fits(one, steps) for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is tuple:
        return fits(get_args(kind)[0], steps[1:])
    if get_origin(kind) in {dict, Mapping}:
        return fits(get_args(kind)[1], steps[1:])
    name, *rest = steps
    return name in fields_of(kind) and fits(fields_of(kind)[name], rest)


def fields_of(kind: Any) -> dict[str, Any]:
    """Return the fields and properties of a model, with their types; anything else has none."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    own = {name: field.annotation for name, field in kind.model_fields.items()}
    bases = [base for base in kind.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]
    found = {name: value for base in reversed(bases) for name, value in vars(base).items()}
    properties = {name: value for name, value in found.items() if isinstance(value, property)}
    return own | {name: get_type_hints(value.fget).get("return") for name, value in properties.items()}


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what can be printed of a result, with its path: estimates, numbers and words, but no bulk."""
    if isinstance(value, Estimate) or _is_plain(value):
        yield path, value
    elif isinstance(value, tuple):
        yield from (leaf for at, item in enumerate(value) for leaf in leaves(item, f"{path}.{at}"))
    elif isinstance(value, Attachment):
        return
    elif isinstance(value, BaseModel):
        for name in fields_of(type(value)) if isinstance(value, Result) else type(value).model_fields:
            if name not in _UNTOLD:
                yield from _within(value, name, f"{path}.{name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}{_step(key)}")


def _within(holder: BaseModel, name: str, path: str) -> Iterator[tuple[str, Any]]:
    value = getattr(holder, name)
    if not isinstance(value, tuple):
        yield from leaves(value, path)
        return
    if value and isinstance(value[0], str):
        if len(value) <= _FEW:
            yield path, value
        return
    for step, item in _named(value, holder):
        if not isinstance(item, tuple):
            yield from leaves(item, f"{path}{_step(step)}")


def _named(items: tuple[Any, ...], holder: BaseModel) -> Iterable[tuple[str, Any]]:
    """Return what a list holds by key, by class or by position, if it is no bulk."""
    if all(hasattr(item, "key") for item in items):
        return ((item.key, item) for item in items)
    classes = getattr(holder, "classes", ())
    if len(classes) == len(items) and all(isinstance(item, Estimate) for item in items):
        return (
            (_of_class(name, at), item) for at, (name, item) in enumerate(zip(classes, items, strict=True))
        )
    return ((str(at), item) for at, item in enumerate(items)) if len(items) <= _FEW else ()


def _of_class(name: str, at: int) -> str:
    """Return the step to a class: its name, but where that would be none or a position, its position."""
    return str(at) if set(name) & set('[]"\\') or re.fullmatch(r"-?\d+", name) else name


def _step(name: str) -> str:
    return f".{name}" if not set(str(name)) & set('.[]"\\ /-') else f"[{name}]"


def _is_plain(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST)


def nearest(wrong: str, known: Iterable[str], most: int = 3) -> str:
    """Return a question with the names that are like a wrong one, or a clause with the first names."""
    names = {name.casefold(): name for name in known}
    close = get_close_matches(wrong.casefold(), names, most, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(names[name] for name in close)}?"
    begins = [name for name in names.values() if name.startswith(f"{wrong.partition('.')[0]}.")]
    return f"there is {first_few(begins or list(names.values()), most, ', ')}."


def of_type(kind: Any, path: str) -> Iterator[str]:
    """Yield the paths of the fields of a result that is not there yet, down to the first lists."""
    fields = fields_of(kind)
    if not fields or kind is Estimate:
        yield path
    for name in fields if kind is not Estimate else ():
        yield from of_type(fields[name], f"{path}.{name}")


def catalogue(numbers: Numbers, roots: Iterable[str]) -> list[tuple[str, Any]]:
    """Return all that can be cited of what the roots name, as far as it is there, with its path."""
    there = (root for root in roots if numbers.has(root))
    return [leaf for root in there for leaf in leaves(numbers.at(root), root)]
