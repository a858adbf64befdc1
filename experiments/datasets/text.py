"""Which text from outside a result and a page can hold."""

import re

_HALF = re.compile("[\ud800-\udfff]")
_BYTE = re.compile("[\udc80-\udcff]")
"""What stands for a byte of a file's name that is not UTF-8."""
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_TURNS_ROUND = re.compile("[\u202d\u202e]")


def unfit(text: str) -> str:
    """Return what is wrong with a name or caption, as in "holds half a character"; nothing if it can be used.

    A result is UTF-8; a drawing is XML, which has no control characters; and a page cannot show what turns
    the letters after it round, whatever they say.
    """
    if _BYTE.search(text):
        return "is not text in UTF-8"
    if _HALF.search(text):
        return "holds half a character"
    if found := _UNSEEN.search(text):
        return f"holds the control character U+{ord(found[0]):04X}"
    if found := _TURNS_ROUND.search(text):
        return f"holds the mark U+{ord(found[0]):04X}, which turns the letters after it round"
    return ""
