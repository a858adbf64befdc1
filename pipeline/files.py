"""Atomic writing, a file whole or not at all, and reading of text."""

import hashlib
import os
import tempfile
from pathlib import Path

from pipeline.errors import UserError


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content` so that a reader, or a kill at any moment, sees the old or the new.

    Temporary file in the same folder, fsync, rename, fsync of the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_if_other(path: Path, content: bytes) -> None:
    """Write `content` whole unless it is there: a time of change that means nothing would wake watchers."""
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)


def keep(path: Path, content: bytes) -> None:
    """Write `content` whole, after a line with its SHA-256: what a killed run is to go on with."""
    write_whole(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def kept(path: Path) -> bytes | None:
    """Return what `keep` wrote to `path`, None if nothing is there or it was altered since."""
    if not path.is_file():
        return None
    sha256, _, content = path.read_bytes().partition(b"\n")
    return content if sha256 == hashlib.sha256(content).hexdigest().encode() else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, read in parts: 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        UserError: if it is not in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not text in UTF-8: save it as UTF-8, or make it anew.") from None
