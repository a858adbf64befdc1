"""Repositories of the Hugging Face hub: from the cache on this machine, or fetched if the hub answers."""

import hashlib
import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import UserError, reason
from pipeline.files import sha256_of

ADDRESS = "https://huggingface.co"
PATIENCE = 10.0
"""Seconds until a hub, or any other host, counts as unreachable."""

_COMMIT = re.compile("[0-9a-f]{40}")
_BRANCH = "refs/heads/"


@dataclass(frozen=True)
class Repository:
    """A repository at a revision, as the hub's client takes it.

    `lacks` says what a folder with its files lacks to be usable, None if nothing. `remedy` ends the
    sentence that says that the repository cannot be had, and says what to do.
    """

    name: str
    revision: str
    lacks: Callable[[Path], str | None]
    remedy: str
    kind: Literal["model", "dataset"] = "model"

    def __str__(self) -> str:
        """Return how sentences name it."""
        return f"{self.name} at revision {self.revision}"


def reference(revision: str, key: str) -> str:
    """Return what the hub's client takes for a profile's `revision`: a commit, or the name of a branch.

    Raises:
        UserError: if it is neither all 40 hexadecimal digits of a commit nor a reference such as
            ``refs/heads/main``: a branch moves, so that it must be named as one. The text names `key`.
    """
    if not _COMMIT.fullmatch(revision) and not revision.startswith("refs/"):
        raise UserError(
            f"{key} is {revision!r}: write all 40 hexadecimal digits of a commit, or, where it is a branch, "
            f"which may move, {_BRANCH}{revision}."
        )
    return revision.removeprefix(_BRANCH)


def silence(ask: Callable[[], int], patience: float) -> str | None:
    """Return why `ask` gets no HTTP status within `patience` seconds, or None if it gets any.

    An answer that the server itself has failed (status 500 and above) counts as none. The question is
    put in a thread, since looking up a host's name knows no time limit.
    """
    answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def put_it() -> None:
        try:
            status = ask()
            answer.put(f"status {status}" if status >= 500 else None)
        except Exception as error:
            answer.put(reason(error))

    threading.Thread(target=put_it, daemon=True).start()
    try:
        return answer.get(timeout=patience)
    except queue.Empty:
        return f"nothing within {patience:.0f} s"


def unreachable(patience: float = PATIENCE) -> str | None:
    """Return a clause that says that the hub gives no answer, and why, or None if it gives any."""
    from huggingface_hub import constants, get_session

    def ask() -> int:
        return get_session().head(constants.ENDPOINT, timeout=patience / 2).status_code

    failure = silence(ask, patience)
    return failure and f"{constants.ENDPOINT} did not answer ({failure})"


def cached(repository: Repository) -> Path | None:
    """Return the folder of a repository in the cache, however many of its files are there.

    The folder is named after the commit that the revision stands for.

    Raises:
        UserError: if no repository can have that name.
    """
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return _snapshot(repository, local_files_only=True)
    except LocalEntryNotFoundError as error:
        # Raised as well where files lack that were never wanted, such as the same weights in another format.
        partial = getattr(error, "snapshot_path", None)
        return None if partial is None else Path(partial)
    except HFValidationError as error:
        raise UserError(f"{repository.name!r} cannot name a repository on a hub: {reason(error)}.") from error


def usable(repository: Repository) -> Path | None:
    """Return the folder of a repository in the cache if it lacks nothing."""
    folder = cached(repository)
    return folder if folder is not None and repository.lacks(folder) is None else None


def missing(repository: Repository, ask: Callable[[], str | None]) -> str | None:
    """Return a sentence if a repository is neither usable in the cache nor to be had, None if it is.

    `ask` is `unreachable`, or recalls what it said. Nothing is fetched or written.

    Raises:
        UserError: if no repository can have that name.
    """
    folder = cached(repository)
    lacking = "is not" if folder is None else repository.lacks(folder)
    failure = None if lacking is None else ask()
    if failure is None:
        return None
    from huggingface_hub import constants

    state = lacking if folder is None else f"lacks {lacking}"
    return (
        f"{repository} {state} in the hub's cache ({constants.HF_HUB_CACHE}) and cannot be fetched: "
        f"{failure}; {repository.remedy}."
    )


def commit(repository: Repository) -> str:
    """Return the commit that a repository's revision stands for, as the hub says.

    Raises:
        UserError: if the hub does not say it.
    """
    if _COMMIT.fullmatch(repository.revision):
        return repository.revision
    from huggingface_hub import HfApi

    name, revision, kind = repository.name, repository.revision, repository.kind
    try:
        about = HfApi().repo_info(name, revision=revision, repo_type=kind, timeout=PATIENCE)
    except Exception as error:  # whatever a refusal or a broken connection makes it raise
        raise UserError(
            f"{name} has no revision {revision}: {reason(error)}; {repository.remedy}."
        ) from error
    return about.sha or revision


def snapshot(repository: Repository, attempts: Sequence[Sequence[str]]) -> Path:
    """Return the folder in the hub's cache with the files of a repository.

    A usable folder that is in the cache is returned without any use of the network. Otherwise the files
    that match the patterns of each of `attempts` are fetched in turn, until the folder is usable.

    Raises:
        UserError: if the hub does not answer, refuses, or has not all that is wanted, or if a file is not the
            one that it has.
    """
    if (folder := usable(repository)) is not None:
        _require_as_published(repository, folder)
        return folder
    if sentence := missing(repository, unreachable):
        raise UserError(sentence)
    lacking = None
    for patterns in attempts:
        try:
            folder = _snapshot(repository, allow_patterns=list(patterns))
        except Exception as error:  # whatever a refusal, a broken connection or a full disk makes it raise
            raise UserError(
                f"{repository} could not be fetched: {reason(error)}; {repository.remedy}."
            ) from error
        lacking = repository.lacks(folder)
        if lacking is None:
            _require_as_published(repository, folder)
            return folder
    raise UserError(f"{repository} lacks {lacking}; {repository.remedy}.")


def _require_as_published(repository: Repository, folder: Path) -> None:
    """Check the files of a folder in the cache against the hub's own hashes, where these are known.

    They are the names of what its files are links to: the SHA-256 of a large file, of another Git's own.
    """
    for file in sorted(folder.rglob("*")):
        blob = file.resolve()
        if file.is_symlink() and file.is_file() and not _is_named_by_hash(blob):
            raise UserError(
                f"{file.name} of {repository} is damaged in the hub's cache: delete {blob} and run again."
            )


def _is_named_by_hash(blob: Path) -> bool:
    """Tell whether the name of a file is the hash of its content, as far as it is a hash at all."""
    if re.fullmatch("[0-9a-f]{64}", blob.name):
        return sha256_of(blob) == blob.name
    if not re.fullmatch("[0-9a-f]{40}", blob.name):
        return True
    content = blob.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob.name


def _snapshot(repository: Repository, **options: Any) -> Path:
    """Ask the hub's client for the folder with a repository's files; it raises what it raises."""
    from huggingface_hub import snapshot_download

    kind, revision = repository.kind, repository.revision
    return Path(snapshot_download(repository.name, repo_type=kind, revision=revision, **options))
