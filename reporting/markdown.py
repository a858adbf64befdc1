"""Text that comes from data, a model or a profile, made safe for Pandoc Markdown."""

import re
import string

from figures.readable import readable

LONGEST = 5_000
"""Of a longer text, such as what a model writes that never ends, a page shows the beginning."""

_WHITE_SPACE = re.compile(r"[^\S\N{NO-BREAK SPACE}]+")
_NAME = re.compile(r"[\w.:-]+", re.ASCII)
_FROM_RIGHT = re.compile(
    "[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""The scripts that run from right to left."""
_ISOLATES = str.maketrans("", "", "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}")
_BRACES = re.compile(r"\\\{(?=\\\{)")
_ESCAPED = re.compile(rf"\\([{re.escape(string.punctuation)}])")
_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})


class Markdown(str):
    """A string that is Markdown already, so that `escape` must not touch it, nor Quarto in inline code."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows of it: Quarto escapes a plain string."""
        return str(self)


def strong(value: object) -> Markdown:
    """Return `value` in bold, escaped.

    A no-break space is written as an entity, since Pandoc sees no bold where white space is at its edge.
    """
    return Markdown(f"**{escape(value)}**".replace("\N{NO-BREAK SPACE}", "&nbsp;"))


def code(name: str) -> Markdown:
    """Return the name of a module, a function (`module:function`), a package or an option as code.

    Any other text stays text, escaped.
    """
    return Markdown(f"`{name}`") if _NAME.fullmatch(name) else escape(name)


def command(text: str) -> Markdown:
    """Return a command as code, or as escaped text if it holds what could end the code or be a shortcode."""
    is_plain = not set(text) & set("`{}\n") and readable(text) == text == isolated(Markdown(text))
    return Markdown(f"`{text}`") if is_plain else escape(text)


def words(text: str) -> list[str]:
    """Return the words of `text`, split where `escape` leaves a space."""
    return [word for word in _WHITE_SPACE.split(text) if word]


def escape(value: object) -> Markdown:
    """Return `value` as Markdown that reads exactly as its text.

    Every ASCII punctuation mark gets a backslash, which disarms Pandoc's markup and Quarto's
    shortcodes alike. White space, line breaks included, becomes single spaces (a no-break space
    stays), so that no text can begin a block. What cannot be seen becomes a mark, and what runs from right
    to left turns nothing round that stands beside it; `Markdown` passes through untouched.
    """
    if isinstance(value, Markdown):
        return value
    return isolated(Markdown(readable(_WHITE_SPACE.sub(" ", str(value))).translate(_ESCAPES)))


def isolated(markdown: Markdown) -> Markdown:
    """Return escaped text, or a row of such, that turns nothing round beside it.

    The marks are Unicode's own, for Typst and for attributes; `screen.lua` makes `<bdi>` of them.
    """
    plain = without_isolates(markdown)
    if not _FROM_RIGHT.search(plain):
        return Markdown(plain)
    return Markdown(f"\N{FIRST STRONG ISOLATE}{plain}\N{POP DIRECTIONAL ISOLATE}")


def unescaped(markdown: str) -> str:
    """Return the text that escaped Markdown stands for, as a page shows it."""
    return without_isolates(_ESCAPED.sub(r"\1", markdown))


def without_isolates(text: str) -> str:
    """Return text without the invisible marks that `escape` puts around what runs from right to left."""
    return text.translate(_ISOLATES)


def cut(text: str) -> str:
    """Return text that a page has room for: of a longer one the beginning, and how long it is."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rstrip()} … ({len(text):,d} characters)"


def in_attribute(markdown: Markdown) -> Markdown:
    """Return escaped text for an attribute such as an alternative text, where Quarto obeys it all the same.

    A backslash does not disarm a shortcode there: Pandoc has removed it before Quarto looks, and a caption
    would print the reader's home folder: an invisible word joiner parts two braces.
    """
    return Markdown(_BRACES.sub(lambda brace: f"{brace[0]}\N{WORD JOINER}", markdown))
