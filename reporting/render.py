"""The pages: `python -m reporting.render` has Quarto make them where it is installed, or makes them itself.

The renderer without Quarto, `render`, supports what the pages of this project use, and refuses by file
and line what it does not.
"""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UserError, sentence
from reporting import quarto
from reporting.labels import labels_of
from reporting.rendering import allowed, cells, citations, crossref, html, pandoc, pdf, project
from reporting.rendering.crossref import Resolved
from reporting.rendering.output import replacing, resolved
from reporting.rendering.pandoc import Node
from reporting.rendering.project import Page, Site
from reporting.rendering.source import Markdown, most_open


class Renderer(StrEnum):
    """Who makes the pages; `auto` is Quarto where it is on PATH."""

    AUTO = "auto"
    QUARTO = "quarto"
    BUILTIN = "builtin"


def render(root: Path, output: Path | None = None) -> Path:
    """Render the project in a folder without Quarto; the site appears whole at the end, or stays as it was.

    Where nothing can be written beside the pages, as in a read-only checkout,
    all but the site in `output` is written to a temporary folder that leads to the project.
    """
    root = root.resolve()
    output = output and resolved(output)
    with project.led_to(root) if output and not project.is_writable(root) else nullcontext(root) as folder:
        return _rendered(folder, output)


def _rendered(root: Path, output: Path | None) -> Path:
    site = project.load(root)
    target = output or site.output
    pages = [page.html_name for page in site.pages] if target == site.output else []
    with _naming(target), replacing(target, site.root, pages) as new, cells.kernel(site.root) as kernel:
        if any(cells.MARK in page.text for page in site.pages):
            kernel.start()
        _prepare(site, target)
        drafts = [cells.draft(page, site.root) for page in site.pages]
        with ThreadPoolExecutor() as pool:
            writing = []
            for draft in reversed(drafts):  # the last is the one to open: the report, which takes longest
                markdown = kernel.run(draft)
                writing.append((draft.page, markdown, pool.submit(write, draft.page, markdown, site, new)))
            written = [(page, markdown, tree.result()) for page, markdown, tree in reversed(writing)]
        crossref.refuse_broken_links_between(
            {page.name: (tree, markdown) for page, markdown, tree in written}
        )
        if site.searched:
            index = html.search_index((page, tree) for page, _, tree in written)
            (new / "search.js").write_text(index, encoding="utf-8", newline="\n")
    return target


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Say where a file could not be written of which the system does not tell, as when a disk is full."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(target)
        raise


def _prepare(site: Site, target: Path) -> None:
    environment = os.environ | {
        "QUARTO_PROJECT_OUTPUT_DIR": str(target),
        "QUARTO_PROJECT_INPUT_FILES": "\n".join(page.name for page in site.pages),
        "QUARTO_PROJECT_RENDER_ALL": "1",
    }
    for script in site.pre_render:
        code = subprocess.run(
            [sys.executable, script], cwd=site.root, env=environment, check=False
        ).returncode
        if code in (-signal.SIGINT, startup.STOPPED):  # of a terminal, which tells both, the script first
            raise KeyboardInterrupt
        if code != 0:
            raise UserError(f"{script} ended with exit code {code}, so no page was changed.")


def write(page: Page, markdown: Markdown, site: Site, folder: Path, *, on_paper: bool = True) -> Resolved:
    """Write the files of a page whose cells have run, its PDF only if `on_paper`; return its tree.

    Raises:
        UserError: if it cannot be set as it is.
    """
    try:
        return _written(page, markdown, site, folder, on_paper=on_paper)
    except RecursionError:
        raise UserError(
            f"{page.name}: what it has within each other is too deep to be set: take some of it apart."
        ) from None


def _written(page: Page, markdown: Markdown, site: Site, folder: Path, *, on_paper: bool) -> Resolved:
    try:
        document, warnings = pandoc.read(markdown.text)
    except pandoc.Endless as error:
        raise markdown.refuse_at(most_open(markdown.lines), f"if it is here, {error}") from None
    for position, message in warnings:  # of what Pandoc found odd, such as a div that is never closed
        raise markdown.refuse_at(position, f"{message}.")
    document = crossref.with_titles(crossref.open_cells(document))
    if document["meta"]:
        raise markdown.refuse("a second block of metadata (---) is not supported.", "---")
    allowed.check(document, markdown, site)
    on_screen = _resolved(document, "html", page, site, markdown)
    text = html.render(on_screen, page, site, markdown)
    (folder / page.html_name).write_text(text, encoding="utf-8", newline="\n")
    for alias in page.aliases:
        (folder / alias).write_text(html.redirect(page), encoding="utf-8", newline="\n")
    if page.pdf_name and on_paper:
        source = pdf.source(_resolved(document, "typst", page, site, markdown), page, site, markdown)
        (folder / page.pdf_name).write_bytes(pdf.render(source, page, site.root))
    return on_screen


def _resolved(document: Node, to: str, page: Page, site: Site, markdown: Markdown) -> Resolved:
    shown = crossref.for_format(document, to)
    labels = labels_of(page.lang)
    resolved = crossref.resolve(shown, markdown, labels, number_sections=page.html.number_sections)
    return citations.cited(resolved, site, markdown)


def main(
    profile: Annotated[str | None, typer.Option(help="The profile to report on, as in Quarto.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the site goes, instead of output-dir.")] = None,
    compute: Annotated[
        bool,
        typer.Option("--compute", help="First run all experiments that are not fresh."),
    ] = False,
    renderer: Annotated[Renderer, typer.Option(help="Who makes the pages.")] = Renderer.AUTO,
) -> None:
    """Render the project in the current folder, by Quarto where it is installed."""
    if profile is not None:
        os.environ["QUARTO_PROFILE"] = profile
    if compute:
        os.environ["REPORT_COMPUTE"] = "1"
    try:
        installed = quarto.program() is not None
        if renderer is Renderer.QUARTO and not installed:
            raise UserError(
                "Quarto is not on PATH: install it (https://quarto.org), or take --renderer builtin."
            )
        by_quarto = installed and renderer is not Renderer.BUILTIN
        root = Path.cwd()
        target = quarto.render(root, output) if by_quarto else render(root, output)
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        print("Stopped: the last site stays as it was.", file=sys.stderr)
        raise typer.Exit(130) from None
    print("Rendered by Quarto:" if by_quarto else "Rendered by the built-in renderer, without Quarto:")
    for file in sorted(target.iterdir()):
        if file.suffix in {".html", ".pdf"}:
            print(f"  {file}")


if __name__ == "__main__":
    with startup.over():
        typer.run(main)
