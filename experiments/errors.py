"""The one exception that is shown to the user as a sentence instead of a traceback."""


class UserError(Exception):
    """Something that the user can put right; its text is one sentence that says how.

    The command line prints the text and exits with code 2.
    """


def reason(error: Exception) -> str:
    """Return what a library's error says, in a clause: one line, no full stop, 300 characters at most.

    An error that says nothing is told by the name of its type.
    """
    return " ".join(str(error).split())[:300].rstrip(". ") or type(error).__name__
