"""Pandoc, and the few verbs for its syntax tree that the other modules need.

The tree is Pandoc's JSON: every node is ``{"t": kind, "c": content}``. It is kept as it is, not wrapped in
classes, since each pass touches only a handful of kinds.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

PATIENCE = 120
"""Seconds for one call of Pandoc, which needs one or two, and without end for what is nested too deep."""
_WAY_BACK = "\N{LEFTWARDS ARROW WITH HOOK}"


class Endless(UserError):
    """Pandoc did not come to an end."""


Node = dict[str, Any]
Attributes = tuple[str, list[str], list[list[str]]]
_INNER = (dict, list)
"""What a part of the tree is that has parts."""


@cache
def program() -> Path:
    """The Pandoc that came with the Python environment, never another that happens to be on PATH."""
    import pypandoc

    bundled = sorted((Path(pypandoc.__file__).parent / "files").glob("pandoc*"))
    if not bundled:
        raise UserError(
            "Pandoc is missing: `pip install pypandoc_binary` (the package pypandoc alone is not enough)."
        )
    return bundled[0]


def _run(arguments: list[str], given: str) -> str:
    return _done(arguments, given).stdout


def _done(arguments: list[str], given: str) -> subprocess.CompletedProcess[str]:
    command = [str(program()), "--sandbox", *arguments]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise Endless(
            f"Pandoc found no end in {PATIENCE} s, as with brackets or quotation marks one within the other "
            r"that are not escaped (\[): take some away."
        ) from None
    if done.returncode != 0:
        raise UserError(f"Pandoc failed: {done.stderr.strip()}")
    return done


def read(markdown: str) -> tuple[Node, list[tuple[int | None, str]]]:
    """Parse Pandoc Markdown; return the document and Pandoc's warnings, each with its line where known."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.json"
        arguments = ["--from=markdown", "--to=json", "--quiet", f"--log={log}"]
        document = json.loads(_run(arguments, markdown))
        messages = json.loads(log.read_text(encoding="utf-8"))
    warnings = [message for message in messages if message.get("verbosity") == "WARNING"]
    return document, [(_line(warning), _without_position(warning["pretty"])) for warning in warnings]


def _line(message: dict[str, Any]) -> int | None:
    position = message.get("openpos", message)
    return position.get("line")


def _without_position(message: str) -> str:
    # Pandoc counts lines of the assembled text, which nobody can see.
    return re.sub(r",? (unclosed |defined )?at line \d+ column \d+", "", message).rstrip(".")


def with_citations(document: Node, bibliography: Path, *options: str) -> tuple[Node, list[str]]:
    """A document with its citations in words and the list of what they cite, and what Pandoc did not find."""
    arguments = ["--from=json", "--to=json", "--citeproc", f"--bibliography={bibliography}"]
    done = _done([*arguments, "--metadata=link-citations:true", *options], json.dumps(document))
    return json.loads(done.stdout), done.stderr.splitlines()


def write(document: Node, to: str, *options: str) -> str:
    """Write a document in a format of Pandoc's, its words in HTML exactly as they are."""
    if to == "html5":
        document = transform(document, {"Str": lambda item: [_exact(item)]})
    arguments = ["--from=json", f"--to={to}", "--wrap=none", "--syntax-highlighting=none", *options]
    return _run(arguments, json.dumps(document))


def _exact(item: Node) -> Node:
    """To its mark of a footnote's way back Pandoc adds an invisible character, wherever the mark stands."""
    return node("RawInline", ["html", escape(item["c"])]) if _WAY_BACK in item["c"] else item


def inlines(markdown: str) -> list[Node]:
    """The inline nodes of one line of Markdown, such as the title of a callout."""
    if re.fullmatch(r"[^\W\d_](?:[^\W_]|[ ,;:])*", markdown):
        return text(markdown)  # nothing in it can be markup: no need to start Pandoc
    blocks = read(markdown)[0]["blocks"]
    if len(blocks) == 1 and blocks[0]["t"] in {"Para", "Plain"}:
        return blocks[0]["c"]
    if len(blocks) == 1 and blocks[0]["t"] == "RawBlock":  # such as a script, for which the check looks
        return [node("RawInline", blocks[0]["c"])]
    return text(markdown)


def node(kind: str, content: Any = None) -> Node:
    """One node of the tree."""
    return {"t": kind} if content is None else {"t": kind, "c": content}


def text(words: str) -> list[Node]:
    """Plain words as inline nodes; a non-breaking space stays inside its word."""
    parts: list[Node] = []
    for word in words.split(" "):
        parts += [node("Str", word)] if word else []
        parts.append(node("Space"))
    return parts[:-1]


def meta_words(words: str) -> Node:
    """Words as a value of a document's metadata."""
    return node("MetaInlines", text(words))


def meta_markdown(markdown: str) -> Node:
    """A line of Markdown as a value of a document's metadata: titles and names, as Quarto takes them."""
    return node("MetaInlines", inlines(markdown))


def raw(to: str, markup: str) -> Node:
    """A block of markup for one output format."""
    return node("RawBlock", [to, markup])


def walk(tree: Any) -> Iterator[Node]:
    """Every node of a tree, parents before children, in document order."""
    ahead = [tree]
    while ahead:
        part = ahead.pop()
        if isinstance(part, dict):
            if "t" in part:
                yield part
            part = part.values()
        ahead += [inner for inner in reversed(part) if isinstance(inner, _INNER)]


def transform(tree: Any, rules: Mapping[str, Callable[[Node], list[Node]]]) -> Any:
    """A tree in which a rule replaces each node of its kind, children first."""
    if isinstance(tree, dict):
        return {
            key: transform(value, rules) if isinstance(value, _INNER) else value
            for key, value in tree.items()
        }
    result = []
    for item in tree:
        if not isinstance(item, _INNER):
            result.append(item)
            continue
        new = transform(item, rules)
        rule = rules.get(new.get("t", "")) if isinstance(new, dict) else None
        result += [new] if rule is None else rule(new)
    return result


def plain(tree: Any) -> str:
    """The words of a tree without markup and without footnotes."""
    if isinstance(tree, list):
        return "".join(plain(item) for item in tree)
    if not isinstance(tree, dict) or "t" not in tree:
        return ""
    return _words_of.get(tree["t"], plain)(tree.get("c"))


_words_of: dict[str, Callable[[Any], str]] = {
    "Space": lambda _: " ",
    "SoftBreak": lambda _: " ",
    "LineBreak": lambda _: " ",
    "Note": lambda _: "",
    "Str": lambda content: content,
    "Code": lambda content: content[1],
    "Quoted": lambda content: plain(content[1]).join("‘’" if content[0]["t"] == "SingleQuote" else "“”"),
}


def attributes(element: Node) -> Attributes:
    """Identifier, classes and key-value pairs of a node that has them."""
    content = element["c"]
    return content[1] if element["t"] == "Header" else content[0]
