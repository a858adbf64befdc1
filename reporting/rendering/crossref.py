"""Numbers for sections, tables and figures, and what refers to them: one tree for both outputs.

The tree names what is referred to and HTML gets the numbers from here; on paper Typst counts, as in Quarto.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from reporting.labels import LABELS, Labels
from reporting.rendering import pandoc
from reporting.rendering.allowed import CALLOUTS, CONDITIONAL, REFERENCES, is_reference, unknown_anchor
from reporting.rendering.pandoc import Node, node, plain, text, transform, walk
from reporting.rendering.source import Markdown

FLOAT, CALLOUT = "quarto-float", "callout"
"""The first class of a div that holds its caption or title as its first block."""

REFERENCE = "quarto-xref"
"""The class of a link that is a cross-reference."""

_CONTENT = {"tbl": "Table", "fig": "Image"}


@dataclass(frozen=True)
class Resolved:
    """A tree, what references to each anchor say, and the number of each numbered heading.

    They say 'Table 1', for example, with a space that does not break.
    """

    document: Node
    labels: dict[str, str]
    sections: dict[str, str]


def open_cells(document: Node) -> Node:
    """The tree without the divs in which the cells' outputs came."""

    def opened(div: Node) -> list[Node]:
        return div["c"][1] if pandoc.attributes(div)[1] == ["cell"] else [div]

    return document | {"blocks": transform(document["blocks"], {"Div": opened})}


def with_titles(document: Node) -> Node:
    """The tree in which a callout's title is a heading in it: read once, and checked like all on a page."""

    def titled(div: Node) -> list[Node]:
        (identifier, classes, pairs), content = div["c"]
        title = dict(pairs).get("title") if _is_callout(classes) else None
        if not title:
            return [div]
        others = [[key, value] for key, value in pairs if key != "title"]
        header = node("Header", [1, ["", [], []], pandoc.inlines(title)])
        return [node("Div", [[identifier, classes, others], [header, *content]])]

    return document | {"blocks": transform(document["blocks"], {"Div": titled})}


def _is_callout(classes: list[str]) -> bool:
    return bool(classes) and classes[0].removeprefix("callout-") in CALLOUTS


def for_format(document: Node, to: str) -> Node:
    """The tree without what is for another format alone; see `CONDITIONAL`."""

    def chosen(div: Node) -> list[Node]:
        _, classes, pairs = pandoc.attributes(div)
        if not classes or classes[0] not in CONDITIONAL:
            return [div]
        ((condition, wanted),) = pairs
        applies = (wanted == to) == (condition == "when-format")
        return div["c"][1] if applies == (classes[0] == "content-visible") else []

    return document | {"blocks": transform(document["blocks"], {"Div": chosen})}


def resolve(
    document: Node, markdown: Markdown, words: Labels = LABELS["en"], *, number_sections: bool
) -> Resolved:
    """Number the tree, set captions apart from what they stand under, and turn references into links."""
    rules = {
        "RawBlock": lambda comment: [],  # nothing else that is raw has come this far
        "RawInline": lambda comment: [],
        "Div": lambda div: [_callout(div, words)],
    }
    blocks = transform(document["blocks"], rules)
    _refuse_duplicates(blocks, markdown)
    numbers = _section_numbers(blocks, markdown) if number_sections else {}
    labels = _labels(blocks, numbers, words)
    blocks = transform(
        blocks,
        {
            "Cite": lambda cite: [_reference(cite, labels, markdown) if _is_reference(cite) else cite],
            "Div": lambda div: [_float(div, labels, markdown)],
            "Table": lambda table: [_without_widths(table)],
        },
    )
    _refuse_broken_links(blocks, markdown)
    return Resolved(document | {"blocks": blocks, "meta": {}}, labels, numbers)


def _callout(div: Node, words: Labels) -> Node:
    (identifier, classes, _), content = div["c"]
    if not _is_callout(classes):
        return div
    title = text(getattr(words.callouts, classes[0].removeprefix("callout-")))
    if content and content[0]["t"] == "Header":
        title, content = content[0]["c"][2], content[1:]
    return node("Div", [[identifier, [CALLOUT, classes[0]], []], [node("Plain", title), *content]])


def _identified(blocks: list[Node]) -> list[tuple[Node, str]]:
    found = [item for item in walk(blocks) if item["t"] in {"Header", "Div", "Span"}]
    return [(item, pandoc.attributes(item)[0]) for item in found if pandoc.attributes(item)[0]]


def _refuse_duplicates(blocks: list[Node], markdown: Markdown) -> None:
    for identifier, times in Counter(identifier for _, identifier in _identified(blocks)).items():
        if times > 1:
            raise markdown.refuse(f"the id #{identifier} is given {times} times.", f"{{#{identifier}")


def _section_numbers(blocks: list[Node], markdown: Markdown) -> dict[str, str]:
    numbers: dict[str, str] = {}
    counters: list[int] = []
    for header in (item for item in walk(blocks) if item["t"] == "Header"):
        level, (identifier, classes, _), title = header["c"]
        if "unnumbered" in classes:
            continue
        if level > len(counters) + 1:
            marks = "#" * (len(counters) + 1)
            reason = f"the heading '{plain(title)}' skips a level: here it can start with {marks} at most."
            raise markdown.refuse(reason, f"{'#' * level} {plain(title)}", f"#{identifier}")
        counters = [*counters[: level - 1], (counters[level - 1] if level <= len(counters) else 0) + 1]
        numbers[identifier] = ".".join(map(str, counters))
    return numbers


def _labels(blocks: list[Node], numbers: dict[str, str], words: Labels) -> dict[str, str]:
    labels = {
        name: f"{words.section}\u00a0{number}" for name, number in numbers.items() if name.startswith("sec-")
    }
    counters = {"tbl": count(1), "fig": count(1)}
    for item, identifier in _identified(blocks):
        kind = identifier.split("-")[0]
        if item["t"] == "Div" and kind in counters and "-" in identifier:
            labels[identifier] = f"{words.called(kind)}\u00a0{next(counters[kind])}"
    return labels


def _is_reference(cite: Node) -> bool:
    return is_reference(cite["c"][0][0]["citationId"])


def _reference(cite: Node, labels: dict[str, str], markdown: Markdown) -> Node:
    name = cite["c"][0][0]["citationId"]
    if name not in labels:
        raise unknown_anchor(f"@{name}", markdown)
    return node("Link", [["", [REFERENCE], []], [node("Str", labels[name])], [f"#{name}", ""]])


def _float(div: Node, labels: dict[str, str], markdown: Markdown) -> Node:
    (identifier, classes, _), content = div["c"]
    if identifier not in labels:
        if re.fullmatch(r"(eq|lst|thm|lem|def|sec)-.*", identifier):
            raise markdown.refuse(f"a div cannot be #{identifier} here.", f"#{identifier}")
        return div
    kind = identifier.split("-")[0]
    trace = f"#{identifier}"
    if classes:
        raise markdown.refuse(f"{trace} must have no class.", trace)
    if not re.fullmatch(rf"({'|'.join(REFERENCES)})-[A-Za-z0-9_-]+", identifier):
        raise markdown.refuse(f"{trace} may have letters, digits and - only.", trace)
    if len(content) < 2 or content[-1]["t"] != "Para" or _holds(content[-1:], "Image"):
        raise markdown.refuse(f"{trace} does not end in a paragraph that is its caption.", trace)
    if not _holds(content[:-1], _CONTENT[kind]):
        raise markdown.refuse(f"{trace} holds no {_CONTENT[kind].lower()}.", trace)
    return node("Div", [[identifier, [FLOAT, kind], []], [node("Plain", content[-1]["c"]), *content[:-1]]])


def _holds(blocks: list[Node], kind: str) -> bool:
    return any(item["t"] == kind for item in walk(blocks))


def _without_widths(table: Node) -> Node:
    # `tbl-colwidths: false`: the dashes of a pipe table say nothing about the widths of its columns.
    attributes, caption, columns, *rest = table["c"]
    return node(
        "Table", [attributes, caption, [[column[0], node("ColWidthDefault")] for column in columns], *rest]
    )


def refuse_broken_links_between(pages: Mapping[str, tuple[Resolved, Markdown]]) -> None:
    """Refuse a link of the author's to a place on another page that is not there; `pages` are by their name.

    What a template prints may lead to what other results would show.
    """
    anchors = {
        name: {identifier for _, identifier in _identified(tree.document["blocks"])}
        for name, (tree, _) in pages.items()
    }
    for tree, markdown in pages.values():
        for link in (item for item in walk(tree.document["blocks"]) if item["t"] == "Link"):
            target = link["c"][2][0]
            page, _, anchor = target.partition("#")
            if anchor and page in anchors and anchor not in anchors[page] and markdown.is_authored(target):
                raise markdown.refuse(f"{target} refers to nothing on that page.", target)


def _refuse_broken_links(blocks: list[Node], markdown: Markdown) -> None:
    anchors = {identifier for _, identifier in _identified(blocks)}
    for link in (item for item in walk(blocks) if item["t"] == "Link"):
        target = link["c"][2][0]
        if target.startswith("#") and target[1:] not in anchors:
            raise unknown_anchor(target, markdown)
