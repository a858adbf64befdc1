"""Citations of the literature, set by Pandoc's citeproc as in Quarto: author, year, and a list at the end."""

from dataclasses import replace

from reporting.rendering import pandoc
from reporting.rendering.crossref import Resolved
from reporting.rendering.pandoc import walk
from reporting.rendering.project import Site
from reporting.rendering.source import Markdown


def cited(tree: Resolved, site: Site, markdown: Markdown) -> Resolved:
    """Return a tree with its citations in words, and with the list of what they cite."""
    cites = [item for item in walk(tree.document["blocks"]) if item["t"] == "Cite"]
    if not cites or site.bibliography is None:
        return tree
    title = [f"--metadata=reference-section-title:{site.references_title}"] if site.references_title else []
    document, warnings = pandoc.with_citations(tree.document, site.bibliography, *title)
    for cite in cites:
        for key in (each["citationId"] for each in cite["c"][0]):
            if any(key in warning for warning in warnings):
                reason = f"{site.bibliography.name} has no entry {key!r}."
                raise markdown.refuse(reason, f"@{key}", f"@{{{key}")
    return replace(tree, document=document | {"meta": {}})
