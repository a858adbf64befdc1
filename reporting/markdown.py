"""Text that comes from data, a model or a profile, made safe for Pandoc Markdown."""

import re
import string

_WHITE_SPACE = re.compile(r"[^\S\N{NO-BREAK SPACE}]+")
_NAME = re.compile(r"[\w.:-]+", re.ASCII)
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
    return escape(text) if set(text) & set("`{}\n") else Markdown(f"`{text}`")


def words(text: str) -> list[str]:
    """Return the words of `text`, split where `escape` leaves a space."""
    return [word for word in _WHITE_SPACE.split(text) if word]


def escape(value: object) -> Markdown:
    """Return `value` as Markdown that reads exactly as its text.

    Every ASCII punctuation mark gets a backslash, which disarms Pandoc's markup and Quarto's
    shortcodes alike. White space, line breaks included, becomes single spaces (a no-break space
    stays), so that no text can begin a block; `Markdown` passes through untouched.
    """
    if isinstance(value, Markdown):
        return value
    return Markdown(_WHITE_SPACE.sub(" ", str(value)).translate(_ESCAPES))


def unescaped(markdown: str) -> str:
    """Return the text that escaped Markdown stands for."""
    return _ESCAPED.sub(r"\1", markdown)


def in_attribute(markdown: Markdown) -> Markdown:
    """Return escaped text for an attribute such as an alternative text, where Quarto obeys it all the same.

    A backslash does not disarm a shortcode there: Pandoc has removed it before Quarto looks, and a caption
    would print the reader's home folder: an invisible word joiner parts two braces.
    """
    return Markdown(_BRACES.sub(lambda brace: f"{brace[0]}\N{WORD JOINER}", markdown))
