"""Repositories of the Hugging Face hub: from the cache on this machine, or fetched if the hub answers."""

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.errors import UserError

PATIENCE = 10.0
"""Seconds until a hub counts as unreachable."""


def no_answer(address: str, patience: float) -> str | None:
    """Return why `address` gives no HTTP answer within `patience` seconds, or None if it gives any.

    An answer that the server itself has failed (status 500 and above) counts as none. The question is
    put in a thread, since looking up a host's name knows no time limit.
    """
    from huggingface_hub import get_session

    answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            status = get_session().head(address, timeout=patience / 2).status_code
            answer.put(f"status {status}" if status >= 500 else None)
        except Exception as error:
            answer.put(_first_line(error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.get(timeout=patience)
    except queue.Empty:
        return f"nothing within {patience:.0f} s"


def snapshot(
    name: str,
    revision: str,
    lacks: Callable[[Path], str | None],
    attempts: Sequence[Sequence[str]],
    remedy: str,
) -> Path:
    """Return the folder in the hub's cache with the files of repository `name` at `revision`.

    `lacks` says what a folder lacks to be usable, None if nothing. A usable folder that is in the cache is
    returned without any use of the network. Otherwise the files that match the patterns of each of
    `attempts` are fetched in turn, until the folder is usable; `remedy` ends the sentence of a failure and
    says what to do.

    Raises:
        UserError: if the hub does not answer, refuses, or has not all that is wanted.
    """
    cached = _cached(name, revision)
    if cached is not None and lacks(cached) is None:
        return cached
    from huggingface_hub import constants, snapshot_download

    what = f"{name} at revision {revision}"
    address = f"{constants.ENDPOINT}/{name}"
    failure = no_answer(address, PATIENCE)
    if failure:
        raise UserError(
            f"{what} is not in the hub's cache ({constants.HF_HUB_CACHE}) and cannot be fetched: "
            f"{address} did not answer ({failure}); {remedy}."
        )
    missing = None
    for patterns in attempts:
        try:
            folder = Path(snapshot_download(name, revision=revision, allow_patterns=list(patterns)))
        except Exception as error:  # whatever a refusal, a broken connection or a full disk makes it raise
            raise UserError(f"{what} could not be fetched: {_first_line(error)}; {remedy}.") from error
        missing = lacks(folder)
        if missing is None:
            return folder
    raise UserError(f"{what} lacks {missing}; {remedy}.")


def _cached(name: str, revision: str) -> Path | None:
    """Return the folder of the repository in the cache, however many of its files are there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _first_line(error: Exception) -> str:
    """Return the first line of an error's text, without its full stop, or the name of its type."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(" .:")[:300] if lines else type(error).__name__
