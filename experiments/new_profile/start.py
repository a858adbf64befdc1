"""Writing a profile to start from: a copy of a template, filled in for data of a user's own."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from experiments.new_profile import folders
from experiments.new_profile.folders import Values
from experiments.profile import IN_CACHE
from pipeline.errors import UserError

TEMPLATE = Path(__file__).with_name("profile.toml")
"""What ``offline`` runs, and below each section its alternatives, switched off by a ``#`` on each line."""
COME_WITH_THE_PROJECT = ("assignment", "offline", "smoke")


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
    if (photos is None) != (captions is None):
        raise UserError(
            "--photos and --captions belong together: name the folder and the file with the captions."
        )
    text = TEMPLATE.read_text(encoding="utf-8")
    if photos is not None and captions is not None:
        text = with_folder(text, "photos", folders.photos(photos, captions, root))
    if images is not None:
        text = with_folder(text, "images", folders.images(images, root))
    path = root / "profiles" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(
            f"profiles/{path.name} is there already: choose another name, or edit that file."
        ) from None
    return path


def with_folder(template: str, section: str, values: Values) -> str:
    """Return the template with a section's block for a folder on and filled, and off the one that was on.

    Blocks are parted by empty lines. Comments, which begin with ``#`` and a space, stay as they are.

    Raises:
        UserError: if a value is a name that no text can hold.
    """
    blocks = template.split("\n\n")
    for position, block in enumerate(blocks):
        if f"\n[{section}]\n" in block:
            blocks[position] = re.sub("(?m)^(?!# )", "#", block)
        elif f'\n#[{section}]\n#kind = "folder"' in block:
            lines = re.sub("(?m)^#(?! )", "", block).split("\n")
            blocks[position] = "\n".join(_filled(line, values) for line in lines)
    return "\n\n".join(blocks)


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


def _filled(line: str, values: Values) -> str:
    """Give the key of a line its value, before the comment; None switches the line off."""
    key = line.partition(" = ")[0]
    if key not in values:
        return line
    value = values[key]
    return f"#{line}" if value is None else f"{key} = {_toml(value)}  #{line.rpartition('  #')[2]}"


def _toml(value: str | int) -> str:
    """Write a value as TOML does, in which JSON's strings are strings."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"The path {value!r} is not text in UTF-8: rename the folder or file.") from error
    return text.replace("\x7f", "\\u007F")
