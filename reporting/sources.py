"""Which results every table and figure of the pages is made from."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import read_text
from pipeline.project import Project
from reporting.blocks import BLOCKS

_SHOWN = re.compile(r'\.show\("(\w+)"')


@dataclass(frozen=True)
class Source:
    """A table or figure: its identifier, the page that it stands on, and the stages that it is made from."""

    anchor: str
    page: str
    stages: tuple[str, ...]


def sources(project: Project, anchors: Callable[[str], tuple[str, ...]]) -> list[Source]:
    """Return every table and figure of a project's pages, page by page in the order of their blocks.

    `anchors` returns the identifiers of what a block shows, which follow from the results.
    """
    return [
        Source(
            anchor=anchor,
            page=_page(page),
            stages=tuple(stage for stage in BLOCKS[name].stages if stage in project.stages),
        )
        for page in sorted(
            project.root.glob("*.qmd"), key=lambda page: (page.name != "report.qmd", _page(page))
        )
        for name in _SHOWN.findall(read_text(page))
        if name in BLOCKS and BLOCKS[name].stages
        for anchor in anchors(name)
    ]


def _page(file: Path) -> str:
    """Return the page that a file's blocks stand on; `_name.qmd` is the text of the page `name.qmd`."""
    return file.name.removeprefix("_")
