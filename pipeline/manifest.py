"""The content of files of a user's own: a line for each, as ``sha256sum`` writes and checks them.

A file is read again only if its size or its time of change is another than when it was read last. A line
that begins with ``#`` is a note, which ``sha256sum`` skips: for text, which is known by what is read of it.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

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


def lines(files: Files, memory: Path, seen: Callable[[bytes], None] = lambda state: None) -> Iterator[str]:
    """Yield the note, if there is one, then ``<SHA-256>  <name>`` and a newline for each file, in order.

    `seen` is called with what tells of each file whether it was written or replaced: its size, when it was
    written and its number on the disk. That its rights or links changed, as by a backup, does not count.

    What was read is remembered in `memory`, a file that may be lost, damaged or refused at any time: it saves
    reading, and decides nothing.

    Raises:
        UserError: if a file cannot be read.
    """
    if files.note:
        yield f"# {files.note}\n"
    with _Memory(memory) as now:
        for name, state, sha256 in _hashed(files, _remembered(memory)):
            size, written, _, *number = [*state.split(":"), "", ""]
            seen(f"{size}:{written}:{number}".encode())
            if _in_one_line(name) == name:  # any other is read again
                now.keep(f"{sha256} {state} {name}")
            yield entry(sha256, name)


def entry(sha256: str, name: str) -> str:
    """Return the line of a file as ``sha256sum`` reads it: a name of several lines is escaped and marked."""
    written = _in_one_line(name)
    return f"{chr(92) * (written != name)}{sha256}  {written}\n"


def _in_one_line(name: str) -> str:
    """Return a name in which escapes stand for line breaks; any other name stays, backslashes included."""
    if "\n" not in name and "\r" not in name:
        return name
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _named(written: str) -> str:
    """Return the name that ``sha256sum`` reads in a line with its mark."""
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), written)


class _Memory:
    """What replaces a file line by line, as far as the system allows; each line begins with its own hash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, prefix=f".{self.path.name}.", delete=False,
                encoding="utf-8", errors="surrogateescape",
            )  # fmt: skip
        return self

    def keep(self, line: str) -> None:
        if self.file is not None:
            try:
                self.file.write(f"{_check(line)} {line}\n")
            except OSError:  # a disk that is full
                self._leave(is_whole=False)

    def __exit__(self, kind: object, *_: object) -> None:
        if self.file is not None:
            self._leave(is_whole=kind is None)

    def _leave(self, is_whole: bool) -> None:
        assert self.file is not None
        written, file, self.file = Path(self.file.name), self.file, None
        try:
            file.close()
            if is_whole:
                written.replace(self.path)
        except OSError:
            is_whole = False
        if not is_whole:
            with suppress(OSError):
                written.unlink(missing_ok=True)


def _check(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def digest(manifest: Iterable[str]) -> tuple[str, int]:
    """Return the SHA-256 of a manifest's text, and how many files it names."""
    found, count = hashlib.sha256(), 0
    for line in manifest:
        found.update(line.encode("utf-8", "surrogateescape"))
        count += not line.startswith("#")
    return found.hexdigest(), count


def recorded(path: Path) -> Iterator[str]:
    """Yield the lines of a manifest that was written to `path`, whose line endings git may have changed.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file:
                yield line.replace("\r\n", "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): allow it, or move it away.") from error


def parsed(manifest: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the note of a manifest, empty if there is none, and the SHA-256 of each file by its name."""
    note, files = "", dict[str, str]()
    for line in manifest:
        if line.startswith("#"):
            note = line.removeprefix("#").strip()
        else:
            sha256, _, name = line.rstrip("\n").partition("  ")
            is_escaped = sha256.startswith("\\")
            files[_named(name) if is_escaped else name] = sha256.removeprefix("\\")
    return note, files


def _hashed(files: Files, remembered: Iterator[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield name, state and SHA-256 of each file; both orders ascend, so that neither is held in memory."""
    known, folder = next(remembered, None), str(files.folder)
    for name in files.names:
        while known is not None and known[0] < name:
            known = next(remembered, None)
        if name in files.recorded:
            yield name, "recorded", files.recorded[name]
            continue
        try:
            about = os.stat(f"{folder}/{name}")  # noqa: PTH116  (a Path for each of 100,000 files takes as long)
        except OSError as error:
            raise UserError(
                f"{files.folder / name} cannot be read ({error.strerror}): place the file there, or mend "
                "what names it."
            ) from error
        state = f"{about.st_size}:{about.st_mtime_ns}:{about.st_ctime_ns}:{about.st_ino}"
        if known is not None and known[:2] == (name, state):
            yield known
            continue
        path = files.folder / name
        try:
            yield name, state, sha256_of(path)
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror}): allow it, or remove it.") from error


def _remembered(memory: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, state and SHA-256 of each file as they were when read last."""
    try:
        with memory.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file:
                check, _, rest = line.rstrip("\n").partition(" ")
                if check != _check(rest):
                    return
                sha256, state, name = rest.split(" ", 2)
                yield name, state, sha256
    except (OSError, ValueError):
        return
