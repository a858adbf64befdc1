"""The syntax that both outputs are known to show alike; anything else on a page is refused."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import UserError
from reporting.enlarging import damage
from reporting.rendering import pandoc
from reporting.rendering.pandoc import Node
from reporting.rendering.project import Site
from reporting.rendering.source import Markdown
from reporting.rendering.support import USE_QUARTO

CALLOUTS = ("note", "tip", "important", "warning", "caution")
REFERENCES = ("tbl", "fig", "sec")
CONDITIONAL = ("content-visible", "content-hidden")
"""The classes of what is shown, or hidden, `when-format` or `unless-format` is html or typst."""

_PLAIN_BLOCKS = (
    "Plain Para LineBlock BlockQuote OrderedList BulletList DefinitionList HorizontalRule Figure "
    "AlignLeft AlignRight AlignCenter AlignDefault ColWidth ColWidthDefault Decimal Example "
    "LowerRoman UpperRoman LowerAlpha UpperAlpha DefaultStyle DefaultDelim Period OneParen TwoParens"
)
_PLAIN_INLINES = (
    "Str Emph Underline Strong Strikeout Superscript Subscript SmallCaps Quoted SingleQuote DoubleQuote "
    "Space SoftBreak LineBreak Note AuthorInText NormalCitation SuppressAuthor"
)
_PLAIN_KINDS = frozenset(f"{_PLAIN_BLOCKS} {_PLAIN_INLINES}".split())
_OWNED_BY_QUARTO = ("panel-", "column", "content-", "layout", "aside", "cell", "hidden", "quarto-")
_IMAGES = (".svg", ".png", ".jpg", ".jpeg")


def check(document: Node, markdown: Markdown, site: Site) -> None:
    """Refuse every node that is not supported, with the line where it stands if that can be known."""
    checks: dict[str, Callable[[Node, Markdown, Site], None]] = {
        "Cite": _cite,
        "Code": _code,
        "CodeBlock": _code,
        "Div": _div,
        "Span": _span,
        "Header": _header,
        "Image": _image,
        "Link": _link,
        "Math": _math,
        "RawBlock": _raw,
        "RawInline": _raw,
        "Table": _table,
    }
    for node in pandoc.walk(document["blocks"]):
        kind = node["t"]
        if kind in checks:
            checks[kind](node, markdown, site)
        elif kind not in _PLAIN_KINDS:
            raise markdown.refuse(f"{kind}: {USE_QUARTO}.")


def is_reference(name: str) -> bool:
    """Whether a key is that of a cross-reference, and not of the literature."""
    return name.startswith(tuple(f"{kind}-" for kind in REFERENCES))


def _cite(node: Node, markdown: Markdown, site: Site) -> None:
    citations = node["c"][0]
    name, first = citations[0]["citationId"], citations[0]
    if not any(is_reference(each["citationId"]) for each in citations):
        if site.bibliography is None:
            reason = f"@{name} is a citation, and _quarto.yml names no bibliography."
            raise markdown.refuse(reason, f"@{name}", f"@{{{name}")
        return
    extra = first["citationPrefix"] or first["citationSuffix"] or len(citations) > 1
    if extra or first["citationMode"]["t"] != "AuthorInText":
        raise markdown.refuse(f"write this cross-reference as plain @{name}.", f"@{name}")


def _code(node: Node, markdown: Markdown, _: Site) -> None:
    identifier, classes, pairs = pandoc.attributes(node)
    if identifier or pairs or len(classes) > 1 or (node["t"] == "Code" and classes):
        raise markdown.refuse(f"code with attributes; {USE_QUARTO}.", f"#{identifier}" if identifier else "")


def _div(node: Node, markdown: Markdown, site: Site) -> None:
    identifier, classes, pairs = pandoc.attributes(node)
    if classes and classes[0] in CONDITIONAL:
        _conditional(node, markdown)
        return
    callout = any(name.removeprefix("callout-") in CALLOUTS for name in classes)
    known = {f"callout-{kind}" for kind in CALLOUTS} if callout else _own_classes(site)
    trace = f"#{identifier}" if identifier else (f".{classes[0]}" if classes else "")
    for name in classes:
        if name not in known:
            raise markdown.refuse(
                f"the div class .{name} is neither a callout nor a class of the project's css; {USE_QUARTO}.",
                f".{name}",
                f"::: {name}",
            )
    if callout and len(classes) > 1:
        raise markdown.refuse("a callout has one class only.", trace)
    for key, _value in pairs:
        if callout or not key.startswith("data-"):
            raise markdown.refuse(f"the div attribute {key}= has no meaning here; {USE_QUARTO}.", f"{key}=")


def _conditional(node: Node, markdown: Markdown) -> None:
    identifier, classes, pairs = pandoc.attributes(node)
    known = len(pairs) == 1 and pairs[0][0] in {"when-format", "unless-format"}
    if identifier or len(classes) > 1 or not known or pairs[0][1] not in {"html", "typst"}:
        raise markdown.refuse(
            f"a div of the class .{classes[0]} must have when-format or unless-format alone, and it must be "
            f'"html" or "typst"; {USE_QUARTO}.',
            f".{classes[0]}",
        )


def _span(node: Node, markdown: Markdown, site: Site) -> None:
    _, classes, pairs = pandoc.attributes(node)
    for name in classes:
        if name not in _own_classes(site):
            raise markdown.refuse(f"the class .{name} is not in the project's css; {USE_QUARTO}.", f".{name}")
    for key, _value in pairs:
        if not key.startswith("data-"):
            raise markdown.refuse(f"the attribute {key}= is not data-…; {USE_QUARTO}.", f"{key}=")


def _own_classes(site: Site) -> set[str]:
    return {name for name in site.css_classes if not name.startswith((*_OWNED_BY_QUARTO, "callout"))}


def _header(node: Node, markdown: Markdown, _: Site) -> None:
    identifier, classes, pairs = pandoc.attributes(node)
    if pairs or not set(classes) <= {"unnumbered", "unlisted"}:
        raise markdown.refuse(
            f"the heading '{pandoc.plain(node['c'][2])}' may have an id, .unnumbered and .unlisted only.",
            *(f".{name}" for name in classes),
            *(f"{key}=" for key, _ in pairs),
            f"#{identifier}",
        )


def _image(node: Node, markdown: Markdown, site: Site) -> None:
    target = node["c"][2][0]
    identifier, classes, pairs = pandoc.attributes(node)
    options = dict(pairs)
    if identifier or classes or not set(options) <= {"fig-alt", "width"}:
        raise markdown.refuse(f"the image {target} may have fig-alt= and width= only; {USE_QUARTO}.", target)
    if not (options.get("fig-alt") or pandoc.plain(node["c"][1])):
        raise markdown.refuse(f"the image {target} has no alternative text (fig-alt=).", target)
    width = options.get("width", "100%")
    if not width.removesuffix("%").isdecimal():
        # Quarto hands the width of an image with alternative text to Typst as it stands, and Typst has no px.
        raise markdown.refuse(
            f"the width of {target} must be such as 80% or 400 (pixels), not {width}.", target
        )
    if said := damage(image_file(target, markdown, site)):
        raise markdown.refuse(f"the image {target} is damaged ({said}): make it again.", target)


def image_file(target: str, markdown: Markdown, site: Site) -> Path:
    """The file of an image, which must lie in the project."""
    path = Path(os.path.normpath(site.root / unquote(target)))  # a folder of the project may be a link
    if urlsplit(target).scheme or path.suffix.lower() not in _IMAGES or not path.is_relative_to(site.root):
        raise markdown.refuse(
            f"the image {target} must be an .svg, .png or .jpg file of this project.", target
        )
    if not path.is_file():
        raise markdown.refuse(f"the image {target} does not exist.", target)
    return path


def _link(node: Node, markdown: Markdown, site: Site) -> None:
    identifier, classes, pairs = pandoc.attributes(node)
    target = node["c"][2][0]
    known = set(classes) <= {"uri", "email", *_own_classes(site)}
    if identifier or not known or not all(key.startswith("data-") for key, _ in pairs):
        raise markdown.refuse(f"the link to {target} has attributes; {USE_QUARTO}.", target)
    address = urlsplit(target)
    if address.scheme in {"http", "https", "mailto"} or (target.startswith("#") and len(target) > 1):
        return
    if address.path not in {page.name for page in site.pages} or address.scheme or address.netloc:
        raise markdown.refuse(f"the link to {target} leads to no page of this project.", target)


def _math(node: Node, markdown: Markdown, _: Site) -> None:
    formula = node["c"][1]
    raise markdown.refuse(
        f"${formula}$ is mathematics, which would load a script: write it in words, or the mark as \\$.",
        f"${formula}$",
        "$$",
        "$",
    )


def _raw(node: Node, markdown: Markdown, _: Site) -> None:
    to, markup = node["c"]
    if to == "html" and markup.startswith("<!--") and markup.rstrip().endswith("-->"):
        return
    first = markup.strip().split("\n", maxsplit=1)[0]
    raise markdown.refuse(f"raw {to} ({first}) would be lost in the other output.", f"{{={to}}}", first)


def _table(node: Node, markdown: Markdown, _: Site) -> None:
    if pandoc.attributes(node)[0]:
        identifier = pandoc.attributes(node)[0]
        raise markdown.refuse(f"write the table as ::: {{#{identifier}}} … caption … :::.", f"#{identifier}")


def unknown_anchor(target: str, markdown: Markdown) -> UserError:
    """The error for a link or cross-reference to nothing."""
    return markdown.refuse(f"{target} refers to nothing on this page.", target)
