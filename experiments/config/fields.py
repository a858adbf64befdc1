"""Types of values that several sections of a profile have, and where a path in it leads."""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, ValidationInfo

from pipeline.errors import UserError

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]
"""Below what a JSON number holds in every language, and room for what is counted on from it."""
Rate = Annotated[float, Field(gt=0, le=1000)]
Weight = Annotated[float, Field(ge=0, le=1000)]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
_LONGEST = 255
"""Bytes in the name of a file at most."""


def _readable(text: str) -> str:
    """Check that there is something to read, and nothing that ends a line or a path unseen."""
    if not text.strip():
        raise ValueError("there must be something in it")
    if any(unicodedata.category(mark) == "Cc" for mark in text):
        raise ValueError("it must not hold a control character")
    return text


Text = Annotated[str, AfterValidator(_readable)]


def _near(text: str, info: ValidationInfo) -> str:
    """Write a path from the project (its folder is the context) or from home, where it lies in one of them.

    What no path is, such as a name on a hub, and a path that is not absolute, stay as they are.
    """
    kind, path = _parts(text)
    root = info.context
    if any(len(part.encode()) > _LONGEST for part in path.parts):
        raise ValueError(f"no file can have a name of more than {_LONGEST} bytes")
    if path.is_absolute() and isinstance(root, Path):
        for start, sign in ((root.absolute(), "."), (root.resolve(), "."), (Path.home(), "~")):
            if ".." not in path.parts and path.is_relative_to(start):
                return f"{kind}{sign}/{path.relative_to(start).as_posix()}"
    return text


def shown_place(text: str) -> str:
    """Return a path as results and pages show it: of one outside of project and home its last part alone."""
    kind, path = _parts(text)
    return f"{kind}…/{path.name}" if path.is_absolute() else text


def _parts(text: str) -> tuple[str, Path]:
    """Return what may stand before a path, such as ``local-dir:``, and the path."""
    kind = re.match("(?:[a-z-]+:)?", text)
    before = kind[0] if kind else ""
    return before, Path(text.removeprefix(before))


Place = Annotated[Text, AfterValidator(_near), PlainSerializer(shown_place, when_used="json")]
"""A path in a profile, or what else may stand there: results never hold where this machine has it."""


def resolve_path(root: Path, text: str) -> Path:
    """Return the place that `text`, a path in a profile, names: from `root` unless absolute, ``~`` expanded.

    Raises:
        UserError: if it begins with the home folder of a user that this machine does not have.
    """
    try:
        return root / Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"The path {text!r} begins with the home folder of a user that this machine does not have: write "
            "the whole path."
        ) from error
