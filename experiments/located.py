"""Where a path that a profile names lies."""

from pathlib import Path

from experiments.errors import UserError


def located(root: Path, text: str) -> Path:
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
