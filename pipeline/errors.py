"""The one exception that is shown to the user as a sentence, not as a traceback, and parts of sentences."""

import errno
import re
from collections.abc import Sequence

NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
"""What a system says where a disk is full or files may not be read or written."""


_ADVICE = re.compile(
    r"[^.!?:]*\b(?:weights_only|trust_remote_code|allow_pickle|add_safe_globals|"
    r"options, .*?do those steps)\b.*",
    re.DOTALL | re.IGNORECASE,
)
"""From the sentence on with which a library begins to say how code in data could be run."""


class UserError(Exception):
    """Something that the user can put right; its text is one sentence that says how.

    The command line prints the text and exits with code 2.
    """


def reason(error: Exception) -> str:
    """Return what a library's error says, in a clause: one line, no full stop, 300 characters at most.

    An error that says nothing is known by the name of its type. Advice to lower a guard against code that
    comes with data is not passed on.
    """
    said = _ADVICE.sub("", str(error))
    return " ".join(said.split())[:300].rstrip(" .:") or type(error).__name__


def sentence(error: UserError | OSError) -> str:
    """Return what a command that ends with an error tells the user."""
    return str(error) if isinstance(error, UserError) else refused_by_system(error)


def refused_by_system(error: OSError) -> str:
    """Return the sentence for a file that cannot be read or written: a full disk, a folder in its place."""
    where = f" {error.filename}" if error.filename else ""
    return (
        f"This machine refuses to read or write{where} ({error.strerror or reason(error)}): free room, allow "
        "it, or move away what stands there, then run the same command again. Results that were complete are "
        "kept."
    )


def first_few(phrases: Sequence[str], most: int = 5, between: str = "; ") -> str:
    """Return the first phrases, and how many more there are: ``a; b; and 3 more``."""
    more = len(phrases) - most
    return between.join([*phrases[:most], *([f"and {more:,} more"] if more > 0 else [])])
