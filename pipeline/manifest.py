"""The content of files of a user's own: a line for each, as ``sha256sum`` writes and checks them.

A file is read again only if its size or its time of change is another than when it was read last. A line
that begins with ``#`` is a note, which ``sha256sum`` skips: for text, which is known by what is read of it.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UserError
from pipeline.files import sha256_of


@dataclass(frozen=True)
class Files:
    """Files under a folder, by names that start there, in ascending order.

    `recorded` is the SHA-256 of those among them that are not there, as an earlier manifest has it; `note`
    stands before them all, if it is not empty.
    """

    folder: Path
    names: tuple[str, ...]
    recorded: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def lines(files: Files, memory: Path) -> Iterator[str]:
    """Yield the note, if there is one, then ``<SHA-256>  <name>`` and a newline for each file, in order.

    What was read is remembered in `memory`, a file that may be lost at any time: it saves reading, and
    decides nothing.

    Raises:
        UserError: if a file cannot be read.
    """
    if files.note:
        yield f"# {files.note}\n"
    memory.parent.mkdir(parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=memory.parent, prefix=f".{memory.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as now:
            for name, state, sha256 in _hashed(files, _remembered(memory)):
                now.write(f"{sha256} {state} {name}\n")
                yield f"{sha256}  {name}\n"
        Path(written).replace(memory)
    finally:
        Path(written).unlink(missing_ok=True)


def digest(manifest: Iterable[str]) -> tuple[str, int]:
    """Return the SHA-256 of a manifest's text, and how many files it names."""
    found, count = hashlib.sha256(), 0
    for line in manifest:
        found.update(line.encode("utf-8", "surrogateescape"))
        count += not line.startswith("#")
    return found.hexdigest(), count


def recorded(path: Path) -> Iterator[str]:
    """Yield the lines of a manifest that was written to `path`, whose line endings git may have changed."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file:
            yield line.replace("\r\n", "\n")


def parsed(manifest: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the note of a manifest, empty if there is none, and the SHA-256 of each file by its name."""
    note, files = "", dict[str, str]()
    for line in manifest:
        if line.startswith("#"):
            note = line.removeprefix("#").strip()
        else:
            sha256, _, name = line.rstrip("\n").partition("  ")
            files[name] = sha256
    return note, files


def _hashed(files: Files, remembered: Iterator[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield name, state and SHA-256 of each file; both orders ascend, so that neither is held in memory."""
    known = next(remembered, None)
    for name in files.names:
        while known is not None and known[0] < name:
            known = next(remembered, None)
        if name in files.recorded:
            yield name, "recorded", files.recorded[name]
            continue
        path = files.folder / name
        try:
            about = path.stat()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}): place the file there, or mend what names it."
            ) from error
        state = f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}:{about.st_ino}"
        if known is not None and known[:2] == (name, state):
            yield known
            continue
        yield name, state, sha256_of(path)


def _remembered(memory: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, state and SHA-256 of each file as they were when read last."""
    try:
        with memory.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file:
                sha256, state, name = line.rstrip("\n").split(" ", 2)
                yield name, state, sha256
    except (OSError, ValueError):
        return
