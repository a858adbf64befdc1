"""Files that a user names and that are not there, with what might be meant."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath


def missing_files(names: Iterable[str], folder: Path, shown_as: str, named_in: str) -> list[str]:
    """Return a sentence for each of `names` that is no file in `folder`, which is `shown_as` to the user.

    It tells the name of the one file in the folder, or in a folder inside it, that differs only in its case,
    its accents' encoding or its folder. `named_in` is the file that holds the names.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names_in(folder) if missing else ():
        alike[_last_part(name)].append(name)
    return [
        f"{shown_as} has no {name!r}, which {named_in} names"
        + (
            f", but has {alike[_last_part(name)][0]!r}: make the two the same."
            if len(alike[_last_part(name)]) == 1
            else f": place the file there or remove its lines from {named_in}."
        )
        for name in missing
    ]


def names_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder, sorted; those in folders inside it begin with their path."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _last_part(name: str) -> str:
    """Return a name without its folders, in one case and with each accent as part of its letter."""
    return unicodedata.normalize("NFC", PureWindowsPath(name).name).casefold()
