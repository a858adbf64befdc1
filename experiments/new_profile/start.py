"""Writing a profile to start from: a copy of a template, filled in for data of a user's own."""

import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from experiments.new_profile import folders
from experiments.new_profile.folders import Values
from experiments.profile import CAPTIONING, CLASSIFICATION, COMPARING, IN_CACHE, NAME
from pipeline.errors import UserError
from pipeline.files import write_whole

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
    for a user's own data; paths start at `root`. With one of the two kinds alone, the other half is switched
    off, and photos alone take a captioner that comes whole. With none the profile runs what ``offline`` runs.

    Raises:
        UserError: if the name cannot be used, the file is there already, or the data cannot be used at all.
    """
    _require_free(name)
    if (photos is None) != (captions is None):
        raise UserError(
            "--photos and --captions belong together: name the folder and the file with the captions."
        )
    for path in filter(None, (photos, captions, images)):
        if any(unicodedata.category(mark) == "Cc" for mark in path):  # as its fields refuse them
            raise UserError(f"A profile cannot name the path {path!r}: rename what has an unseen character.")
    text = TEMPLATE.read_text(encoding="utf-8")
    if photos is not None and captions is not None:
        text = with_folder(text, "photos", folders.photos(photos, captions, root))
        if images is None:
            text = with_whole_captioner(off(text, "images", *CLASSIFICATION))
    if images is not None:
        text = with_folder(text, "images", folders.images(images, root))
        if photos is None:
            text = off(text, *CAPTIONING, *COMPARING)
    path = root / "profiles" / f"{name}.toml"
    if path.exists():
        raise UserError(f"profiles/{path.name} is there already: choose another name, or edit that file.")
    write_whole(path, text.encode())
    return path


def with_folder(template: str, section: str, values: Values) -> str:
    """Return the template with a section's block for a folder on and filled, and off the one that was on.

    Raises:
        UserError: if a value is a name that no text can hold.
    """
    return _on(off(template, section), f'#[{section}]\n#kind = "folder"', values)


def with_whole_captioner(template: str) -> str:
    """Return the template with the captioner on that needs no labelled images, and its layers as targets."""
    sign = '#[captioner]\n#kind = "vision_encoder_decoder"'
    text = _on(off(template, "captioner"), sign, {"held_out": None})
    return re.sub(r"(?m)^(\w*targets = .*)\n#(.*)$", r"#\1\n\2", text)


def off(template: str, *sections: str) -> str:
    """Return the template with all blocks of some sections off.

    Blocks are parted by empty lines. Comments, which begin with ``#`` and a space, stay as they are.
    """
    table = re.compile(rf"(?m)^\[+(?:{'|'.join(sections)})[].]")
    blocks = (
        re.sub("(?m)^(?=.)(?!# )", "#", block) if table.search(block) else block
        for block in template.split("\n\n")
    )
    return "\n\n".join(blocks)


def _on(template: str, sign: str, values: Values) -> str:
    """Return the template with the first block on, and filled, that has the lines `sign`."""
    blocks = template.split("\n\n")
    at = next(position for position, block in enumerate(blocks) if sign in block)
    lines = re.sub("(?m)^#(?! )", "", blocks[at]).split("\n")
    return "\n\n".join([*blocks[:at], "\n".join(_filled(line, values) for line in lines), *blocks[at + 1 :]])


def what_next(name: str, photos: str | None = None, images: str | None = None) -> Iterable[str]:
    """Return lines that say what a new profile does without, and how to go on with it."""
    return (
        f"Wrote profiles/{name}.toml. {_left_out(photos, images)}Next:",
        "  1. edit it: every line says what it means",
        f"  2. python -m experiments check --profile {name}, which lists all that is wrong",
        f"  3. python -m experiments run --profile {name}",
        f"  4. QUARTO_PROFILE={name} make report",
    )


def _left_out(photos: str | None, images: str | None) -> str:
    if images is None and photos is not None:
        return (
            "It classifies nothing, since no --images were named. Its captioner is ViT-GPT2 from the Hugging "
            "Face hub: it comes whole, while the kind prefix would be aligned on labelled images. Where the "
            "hub cannot be reached, let captioner.model name a folder with a copy, without a revision, or "
            "switch on [images] and that kind. "
        )
    if photos is None and images is not None:
        return "It captions nothing, since no --photos were named. "
    return ""


def _require_free(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise UserError(
            f"{name!r} cannot be a profile's name: use letters, digits, - and _, 100 at most, and begin "
            "with a letter or digit."
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
