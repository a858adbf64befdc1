"""Types of values that several sections of a profile have, and where a path in it leads."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.errors import UserError

Positive = Annotated[int, Field(ge=1)]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
Text = Annotated[str, Field(min_length=1)]


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
