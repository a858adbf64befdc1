"""What a new profile says of folders of a user's own: paths, counts and sizes that fit what is there."""

import statistics
from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.images import ImageFolder
from experiments.config.photos import PhotoFolder
from experiments.datasets import image_folder, photo_folder
from experiments.datasets.captions_file import examine_captions
from experiments.datasets.listing import listing
from experiments.datasets.pictures import size_of
from experiments.datasets.problems import refuse
from pipeline.errors import UserError

Values = dict[str, str | int | None]
"""What keys of a section are to be, in place of what the template says; None leaves a key out."""

TUNING, EVALUATION = 50, 60
"""How many photos the assignment tunes and compares on."""
SMALLEST, LARGEST = 32, 64
"""Sides in pixels between which CNN and ViT learn in minutes."""

_LOOKED_AT = 200


def photos(folder: str, captions: str, root: Path) -> Values:
    """Return what `[photos]` says of a folder of photos and the file with their captions.

    Raises:
        UserError: if they cannot be used at all; other problems are left to ``check``.
    """
    place = _existing(folder, root)
    files, problems = examine_captions(resolve_path(root, captions), captions)
    if not files:
        refuse(problems)
    count = len(photo_folder.places_of(files, place))
    if count < 3:
        raise UserError(
            f"{folder} has {count} of the {len(files)} photos that {captions} names: at least three are "
            "needed, one to tune on and two to compare on."
        )
    tuning = min(TUNING, count // 2)
    return {
        "folder": as_written(folder, root),
        "captions": as_written(captions, root),
        "tuning": tuning,
        "evaluation": min(EVALUATION, count - tuning),
    }


def unmatched(folder: str, captions: str, root: Path) -> list[str]:
    """Return a sentence for captions that have no photo, and one for photos that have no captions."""
    config = PhotoFolder(kind="folder", folder=folder, captions=captions, tuning=1, evaluation=2, seed=0)
    return photo_folder.unmatched(config, root)


def images(folder: str, root: Path) -> Values:
    """Return what `[images]` says of a folder with a folder for each class.

    Raises:
        UserError: if there are no images in such folders; other problems are left to ``check``.
    """
    place = _existing(folder, root)
    sides = _sides(place)
    if not sides:
        raise UserError(f"{folder} has no folders with images in them: there must be one for each class.")
    size = min(LARGEST, max(SMALLEST, statistics.median_low(sides) // 8 * 8))
    config = ImageFolder(kind="folder", folder=folder, size=size)
    at_random = config.model_copy(update={"test_share": 0.2, "seed": 0})
    # A section that need not say how to split has the same problems whether it says so or not.
    is_split = image_folder.problems_of(config, root) == image_folder.problems_of(at_random, root)
    split: Values = {"test_share": None, "seed": None} if is_split else {}
    return {"folder": as_written(folder, root), "size": size, **split}


def as_written(text: str, root: Path) -> str:
    """Return a path as a profile says it: from the project's folder if it lies in it, and ``~`` as it is."""
    if text.startswith("~"):
        return text
    path = root.absolute() / text
    if ".." in path.parts:
        path = path.resolve()  # a way that goes up from a link goes up from where it leads
    for start in (root.absolute(), root.resolve()):
        if path.is_relative_to(start):
            return path.relative_to(start).as_posix()
    return str(path)


def _existing(folder: str, root: Path) -> Path:
    place = resolve_path(root, folder)
    if not place.is_dir():
        raise UserError(f"There is no folder {place}: mend the path.")
    return place


def _sides(place: Path) -> list[int]:
    """Return the shorter sides in pixels of pictures that lie evenly among all in the folders below."""
    files = [name for name in listing(place).pictures if "/" in name]
    sides = []
    for name in files[:: max(1, len(files) // _LOOKED_AT)]:
        try:
            sides.append(min(size_of(place / name)))
        except (OSError, ValueError):  # ``check`` names those that are damaged
            continue
    return sides
