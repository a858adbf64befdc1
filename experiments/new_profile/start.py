"""Writing a profile to start from."""

import re
from collections.abc import Iterable
from pathlib import Path

from experiments.new_profile import folders
from experiments.new_profile.template import TEMPLATE, Values, written
from pipeline.errors import UserError

COME_WITH_THE_PROJECT = ("assignment", "offline", "smoke")
IN_CACHE = ("downloads", "hashes", "prepared")
"""Folders of `.cache/` that are not a profile's."""


def start(
    name: str,
    root: Path,
    *,
    photos: str | None = None,
    captions: str | None = None,
    images: str | None = None,
) -> Path:
    """Write ``profiles/<name>.toml`` under `root` and return it.

    `photos` and `captions`, the folder and the file that belong together, and `images` switch on the blocks
    for a user's own data; paths start at `root`. Otherwise the profile runs what ``offline`` runs.

    Raises:
        UserError: if the name cannot be used, the file is there already, or the data cannot be used at all.
    """
    _require_free(name)
    chosen: dict[tuple[str, str], Values] = {}
    if (photos is None) != (captions is None):
        raise UserError(
            "--photos and --captions belong together: name the folder and the file with the captions."
        )
    if photos is not None and captions is not None:
        chosen["photos", "folder"] = folders.photos(photos, captions, root)
    if images is not None:
        chosen["images", "folder"] = folders.images(images, root)
    path = root / "profiles" / f"{name}.toml"
    text = written(TEMPLATE.read_text(encoding="utf-8"), chosen)
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(
            f"profiles/{path.name} is there already: choose another name, or edit that file."
        ) from None
    return path


def what_next(name: str) -> Iterable[str]:
    """Return lines that say how to go on with a new profile."""
    return (
        f"Wrote profiles/{name}.toml. Next:",
        "  1. edit it: every line says what it means",
        f"  2. python -m experiments check --profile {name}, which lists all that is wrong",
        f"  3. python -m experiments run --profile {name}",
        f"  4. QUARTO_PROFILE={name} make report",
    )


def _require_free(name: str) -> None:
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise UserError(
            f"{name!r} cannot be a profile's name: use letters, digits, - and _, and begin with a letter or "
            "digit."
        )
    if name in (*COME_WITH_THE_PROJECT, *IN_CACHE):
        raise UserError(f"The name {name!r} is taken by the project itself: choose another.")
