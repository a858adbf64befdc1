"""Types of values that several sections of a profile have, and where a path in it leads."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, ValidationInfo

from pipeline.errors import UserError

Positive = Annotated[int, Field(ge=1)]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
Text = Annotated[str, Field(min_length=1)]


def _near(text: str, info: ValidationInfo) -> str:
    """Write a path from the project (its folder is the context) or from home, where it lies in one of them.

    What no path is, such as a name on a hub, and a path that is not absolute, stay as they are.
    """
    kind, path = _parts(text)
    root = info.context
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
