"""What pages are made from, and when each of these files was last changed: what a preview of ours follows."""

from collections.abc import Iterable
from pathlib import Path

INPUTS = ("data", "experiments", "figures", "pipeline", "profiles", "reporting", "results", "templates")
"""The folders that pages are made from, besides the files beside them; a result's state follows the code."""
MADE = "_figures"
_BESIDE = (".qmd", ".yml", ".bib")
_NOT_READ = (".pyc", ".part", ".lock")

Stamps = dict[str, tuple[int, int]]


def stamps(root: Path) -> Stamps:
    """Return time of change and size of every input by its path."""
    beside = [path for path in root.iterdir() if path.suffix in _BESIDE]
    return stamps_of(root, [*beside, *(path for folder in INPUTS for path in (root / folder).rglob("*"))])


def stamps_of(root: Path, files: Iterable[Path]) -> Stamps:
    """Return the same of some files, but for those that tools leave beside others."""
    found: Stamps = {}
    for path in files:
        if path.name.startswith(".") or path.name.endswith((*_NOT_READ, "~")):
            continue
        try:
            state = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        if path.is_file():
            found[path.relative_to(root).as_posix()] = (state.st_mtime_ns, state.st_size)
    return dict(sorted(found.items()))
