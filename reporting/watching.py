"""What pages are made from, and when each of these files was last changed: what a preview of ours follows."""

from collections.abc import Sequence
from pathlib import Path

INPUTS = ("data", "experiments", "figures", "pipeline", "profiles", "reporting", "results", "templates")
"""The folders that pages are made from, besides the files beside them; a result's state follows the code."""
MADE = "_figures"
_BESIDE = (".qmd", ".yml", ".bib")
_NOT_READ = (".pyc", ".part", ".lock")

Stamps = dict[str, tuple[int, int]]


def stamps(root: Path, folders: Sequence[str] = INPUTS, *, but: tuple[str, ...] = ()) -> Stamps:
    """Return time of change and size of every input by its path, but for files that end so.

    With folders of one's own, what lies beside them is left out as well.
    """
    files = [path for folder in folders for path in (root / folder).rglob("*")]
    if folders is INPUTS:
        files += [path for path in root.iterdir() if path.suffix in _BESIDE]
    found: Stamps = {}
    for path in files:
        if path.name.startswith(".") or path.name.endswith((*_NOT_READ, "~", *but)):
            continue
        try:
            state = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        if path.is_file():
            found[path.relative_to(root).as_posix()] = (state.st_mtime_ns, state.st_size)
    return dict(sorted(found.items()))
