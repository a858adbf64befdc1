"""Which text from outside a result and a page can hold."""

import re
import unicodedata
from collections.abc import Sequence

_HALF = re.compile("[\ud800-\udfff]")
_BYTE = re.compile("[\udc80-\udcff]")
"""What stands for a byte of a file's name that is not UTF-8."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0]"
)
"""What takes no ink; but marks that tell the flags of regions from each other are none of these."""
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
    if found := _CONTROL.search(text):
        return f"holds the control character U+{ord(found[0]):04X}"
    if found := _TURNS_ROUND.search(text):
        return f"holds the mark U+{ord(found[0]):04X}, which turns the letters after it round"
    return "" if seen(text) else "holds nothing that can be seen"


def seen(text: str) -> str:
    """Return what can be seen of a text: an accent and its letter as one, single blanks, no unseen mark."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split())


def told_apart(texts: Sequence[str]) -> list[str]:
    """Quote texts, in signs of ASCII where some would look the same."""
    looks = {seen(repr(text)) for text in texts}
    return [*map(repr if len(looks) == len(texts) else ascii, texts)]
