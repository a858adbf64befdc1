"""Whether a hub can be reached, asked before a library tries for minutes."""

import queue
import threading

PATIENCE = 10.0
"""Seconds until a hub counts as unreachable."""


def no_answer(address: str) -> str | None:
    """Return why `address` gives no HTTP answer within `PATIENCE`, or None if it gives any.

    An answer that the server itself has failed (status 500 and above) counts as none. The question is
    put in a thread, since looking up a host's name knows no time limit.
    """
    answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            status = _status(address)
            answer.put(f"status {status}" if status >= 500 else None)
        except Exception as error:  # whatever the library raises for a lost connection or a set offline mode
            answer.put(" ".join(str(error).split())[:200] or type(error).__name__)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.get(timeout=PATIENCE)
    except queue.Empty:
        return f"nothing within {PATIENCE:.0f} s"


def _status(address: str) -> int:
    from huggingface_hub import get_session

    return get_session().head(address, timeout=PATIENCE / 2).status_code
