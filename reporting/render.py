"""The report without Quarto: `python -m reporting.render` makes the pages that `quarto render` would make.

It supports what the pages of this project use, and refuses by file and line what it does not.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from experiments.errors import UserError
from reporting.rendering import allowed, cells, crossref, html, pandoc, pdf, project, support
from reporting.rendering.project import Page, Site
from reporting.rendering.source import Markdown

_ATTEMPTS = 5


def render(root: Path, output: Path | None = None, *, preview: bool = False) -> Path:
    """Render the project in a folder; the site appears whole at the end, or stays as it was.

    A preview computes no result that is missing.
    """
    site = project.load(root.resolve())
    target = (output or site.output).resolve()
    _refuse_to_overwrite(target, site)
    _prepare(site, target, preview)
    drafts = [cells.draft(page) for page in site.pages]
    with _new_folder(site, target) as new:
        markdowns = cells.run(drafts, site.root)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda page, markdown: _write(page, markdown, site, new), site.pages, markdowns))
        _swap(new, target)
    return target


def _prepare(site: Site, target: Path, preview: bool) -> None:
    environment = os.environ | {
        "QUARTO_PROJECT_OUTPUT_DIR": str(target),
        "QUARTO_PROJECT_INPUT_FILES": "\n".join(page.name for page in site.pages),
    }
    if not preview:
        environment["QUARTO_PROJECT_RENDER_ALL"] = "1"
    for script in site.pre_render:
        code = subprocess.run(
            [sys.executable, script], cwd=site.root, env=environment, check=False
        ).returncode
        if code != 0:
            raise UserError(f"{script} ended with exit code {code}, so no page was changed.")


def _write(page: Page, markdown: Markdown, site: Site, folder: Path) -> None:
    document, warnings = pandoc.read(markdown.text)
    support.check_warnings(markdown, warnings)
    document = crossref.open_cells(document)
    if document["meta"]:
        raise markdown.refuse("a second block of metadata (---) is not supported.", "---")
    allowed.check(document, markdown, site)
    tree = crossref.resolve(document, markdown, number_sections=page.html.number_sections)
    text = html.render(tree, page, site, markdown)
    (folder / page.html_name).write_text(text, encoding="utf-8", newline="\n")
    for alias in page.aliases:
        (folder / alias).write_text(html.redirect(page), encoding="utf-8", newline="\n")
    if page.pdf_name:
        source = pdf.source(tree, page, site, markdown)
        (folder / page.pdf_name).write_bytes(pdf.render(source, page, site.root))


def _refuse_to_overwrite(target: Path, site: Site) -> None:
    """Replace nothing but a site: a wrong --output must not cost anyone a folder."""
    if target.is_dir() and not any(target.iterdir()):
        return
    is_site = any((target / page.html_name).is_file() for page in site.pages)
    if (target.exists() and not is_site) or site.root.is_relative_to(target):
        raise UserError(
            f"{target} is not a site made from these pages, so it is not replaced; remove it first."
        )


@contextmanager
def _new_folder(site: Site, target: Path) -> Iterator[Path]:
    """A folder on the same disk as the target, gone afterwards whatever happens."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside, cache = target.parent, site.root / ".cache"
    if beside == site.root:
        cache.mkdir(exist_ok=True)
        # Git ignores .cache, should we be killed; but it may be a link to another disk.
        beside = cache if cache.stat().st_dev == beside.stat().st_dev else beside
    with tempfile.TemporaryDirectory(prefix="site-", dir=beside) as folder:
        new = Path(folder) / "new"
        new.mkdir()
        yield new


def _swap(new: Path, target: Path) -> None:
    for attempt in range(_ATTEMPTS):
        old = new.with_name(f"old-{attempt}")
        with suppress(FileNotFoundError):
            target.rename(old)
        try:
            new.rename(target)
            return
        except OSError:
            # Another render was as quick as this one, or the disk refuses: then the old site comes back.
            if not target.exists():
                with suppress(FileNotFoundError):
                    old.rename(target)
                raise
    raise UserError(f"{target} is being replaced by another render; try again.")


def main(
    profile: Annotated[str | None, typer.Option(help="The profile to report on, as in Quarto.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the site goes, instead of output-dir.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Compute nothing, even if it is missing.")
    ] = False,
) -> None:
    """Render the project in the current folder without Quarto."""
    if profile is not None:
        os.environ["QUARTO_PROFILE"] = profile
    try:
        target = render(Path.cwd(), output, preview=preview)
    except UserError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    print("Rendered by the built-in renderer (python -m reporting.render), without Quarto:")
    for file in sorted(target.iterdir()):
        print(f"  {file}")


if __name__ == "__main__":
    typer.run(main)
