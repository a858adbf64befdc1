"""The one exception that is shown to the user as a sentence instead of a traceback."""


class UserError(Exception):
    """Something that the user can put right; its text is one sentence that says how.

    The command line prints the text and exits with code 2.
    """
