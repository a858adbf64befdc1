"""The title block as metadata, shaped as Quarto shapes it, since the same filter (`title.lua`) reads both."""

from reporting.rendering.pandoc import Node, meta_markdown, node
from reporting.rendering.project import Author, Page


def title_block(page: Page) -> dict[str, Node]:
    """Return the title, what stands beneath it and the authors; their words are Markdown."""
    given = {
        "title": page.title,
        "subtitle": page.subtitle,
        "course": page.course,
        "assignment": page.assignment,
    }
    words = {key: meta_markdown(value) for key, value in given.items() if value}
    return words | {"by-author": node("MetaList", [_author(author) for author in page.authors])}


def _author(author: Author) -> Node:
    name = node("MetaMap", {"literal": meta_markdown(author.name)})
    student = {"student": node("MetaString", author.student)} if author.student else {}
    return node("MetaMap", {"name": name, "metadata": node("MetaMap", student)})
