"""YAML read strictly: every key is known and every value allowed, or a sentence says where not."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from pipeline.errors import UserError

Check: TypeAlias = Callable[[object], str | None]
"""Says what would be allowed, or nothing where the value is."""

Schema: TypeAlias = Mapping[str, "Check | Schema"]


@dataclass(frozen=True)
class Source:
    """A YAML text, the name of its file and the line of that file on which it starts."""

    file: str
    text: str
    first_line: int = 1

    def refuse(self, node: yaml.Node, reason: str) -> UserError:
        """An error at a node of the text."""
        return UserError(f"{self.file}:{self.first_line + node.start_mark.line}: {reason}")


def one_of(*allowed: object) -> Check:
    """Exactly these values (and `true` is not 1)."""
    shown = " or ".join(str(value).lower() if isinstance(value, bool) else repr(value) for value in allowed)
    return lambda value: None if any(value == a and type(value) is type(a) for a in allowed) else shown


def whole_number(low: int, high: int) -> Check:
    """A whole number from `low` to `high`."""
    allowed = f"a whole number from {low} to {high}"
    return lambda value: None if type(value) is int and low <= value <= high else allowed


def text(value: object) -> str | None:
    """One line of text."""
    return None if isinstance(value, str) and value.strip() and "\n" not in value else "one line of text"


def date(value: object) -> str | None:
    """A date, as YAML reads it, and not a word such as `today`, with which no page could be made twice."""
    return None if type(value) is datetime.date else "a date such as 2026-05-31"


def length(value: object) -> str | None:
    """A length on paper."""
    number, unit = (value[:-2], value[-2:]) if isinstance(value, str) else ("", "")
    good = unit in {"cm", "mm", "pt", "in"} and number.replace(".", "", 1).isdecimal()
    return None if good else "a length such as 2.5cm or 11pt"


def many(check: Check) -> Check:
    """One value or a list of them."""
    return lambda value: next(filter(None, map(check, value if isinstance(value, list) else [value])), None)


def as_list(value: Any) -> list[Any]:
    """One value or a list of them, as a list; nothing is an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read(source: Source, schema: Schema) -> dict[str, Any]:
    """Read and check a YAML mapping."""
    try:
        root = yaml.compose(source.text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = source.first_line + (error.problem_mark.line if error.problem_mark else 0)
        raise UserError(f"{source.file}:{line}: this is not YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise UserError(f"{source.file}:{source.first_line}: this is not YAML: {error}.") from error
    if root is None:
        return {}
    return _mapping(source, root, schema, "")


def _mapping(source: Source, node: yaml.Node, schema: Schema, path: str) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise source.refuse(node, f"{path or 'this'} must hold keys and values: {_known(schema)}.")
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, place = str(key_node.value), f"{path}.{key_node.value}".lstrip(".")
        if key not in schema:
            raise source.refuse(key_node, f"'{place}' is not supported; known here: {_known(schema)}.")
        if key in values:
            raise source.refuse(key_node, f"'{place}' is given twice.")
        values[key] = _value(source, value_node, schema[key], place)
    return values


def _value(source: Source, node: yaml.Node, allowed: "Check | Schema", place: str) -> Any:
    if isinstance(allowed, Mapping):
        if isinstance(node, yaml.ScalarNode) and node.value == "default":
            return {}  # Quarto's word for a format without options of its own
        return _mapping(source, node, allowed, place)
    try:
        value = yaml.load(yaml.serialize(node), yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise source.refuse(node, f"'{place}' is not a plain value: {error}.") from error
    wanted = allowed(value)
    if wanted is not None:
        raise source.refuse(node, f"'{place}' is {value!r}, but supported is {wanted}.")
    return value


def _known(schema: Schema) -> str:
    return ", ".join(schema)
