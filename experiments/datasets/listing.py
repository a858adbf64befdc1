"""What lies in a folder of a user's own: its pictures, and of all else why it is not used."""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from experiments.datasets.pictures import ENDINGS
from pipeline.errors import first_few

HIDDEN = "hidden files and folders"
NOWHERE = "links that lead nowhere"
BACK = "links to a folder that they stand in, or that is read already"
CLOSED = "folders that cannot be opened"

_PICTURES = tuple(ENDINGS)

Unused = Mapping[str, Sequence[str]]
"""The names of what is not used, by the reason why, such as ``"hidden files and folders"``."""


@dataclass(frozen=True)
class Listing:
    """The names of pictures, folders and what is not used, sorted, each with its path from the folder."""

    pictures: tuple[str, ...]
    folders: tuple[str, ...]
    unused: Unused


@dataclass(frozen=True)
class _Place:
    """A folder to read: its path, what names in it begin with, and the real folders that it stands in.

    `followed` are the real folders that were read since a link was followed, None where none was: each is
    read once, so that no tangle of links is endless.
    """

    path: str
    prefix: str
    above: tuple[str, ...]
    followed: set[str] | None


def listing(folder: Path) -> Listing:
    """List a folder with all folders in it; links are followed, but never in a circle.

    By its ending a file is a picture or not; hidden files, and those in hidden folders, are none.
    """
    pictures: list[str] = []
    folders: list[str] = []
    unused: dict[str, list[str]] = defaultdict(list)
    real = folder.resolve()
    waiting = [_Place(str(folder), "", (*map(str, real.parents), str(real)), None)]
    while waiting:
        place = waiting.pop()
        try:
            entries = list(os.scandir(place.path))
        except OSError:
            unused[CLOSED].append(place.prefix or ".")
            continue
        for entry in entries:
            name = f"{place.prefix}{entry.name}"
            if entry.name.startswith("."):
                unused[HIDDEN].append(name)
            elif _is(entry.is_dir):
                inner = _inner(entry, place)
                if inner is None:
                    unused[BACK].append(name)
                else:
                    folders.append(name)
                    waiting.append(inner)
            elif not _is(entry.is_file):
                unused[NOWHERE if entry.is_symlink() else "pipes and devices"].append(name)
            elif entry.name.lower().endswith(_PICTURES):
                pictures.append(name)
            else:
                unused[_kind(name)].append(name)
    by_reason = {reason: sorted(names) for reason, names in sorted(unused.items())}
    return Listing(tuple(sorted(pictures)), tuple(sorted(folders)), by_reason)


def sentences(unused: Unused, what: str) -> list[str]:
    """Say in one sentence, if in any, how much of `what` is not used, by reason."""
    phrases = [
        f"{reason} ({len(names):,}, such as {names[0]!r})" for reason, names in unused.items() if names
    ]
    return [f"Not used of {what}: {first_few(phrases, 8)}."] if phrases else []


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:  # a link to itself
        return False


def _inner(entry: os.DirEntry[str], place: _Place) -> _Place | None:
    """Return a folder in another as one to read, None if it leads back to one that is read."""
    real = os.path.realpath(entry.path) if entry.is_symlink() else f"{place.above[-1]}/{entry.name}"
    followed = place.followed
    if followed is None and entry.is_symlink():
        followed = set(place.above)
    if followed is not None:
        if real in followed:
            return None
        followed.add(real)
    return _Place(entry.path, f"{place.prefix}{entry.name}/", (*place.above, real), followed)


def _kind(name: str) -> str:
    ending = PurePath(name).suffix.lower()
    return f"files that end in {ending!r}" if ending else "files without an ending"
