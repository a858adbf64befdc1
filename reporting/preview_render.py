"""One render of a preview: `python -m reporting.preview_render FOLDER` reads all code, then waits.

It waits for a line on its input: ``draw``, to draw the figures as well, or ``pages``. Only HTML is made, and
of it only the pages that come out other than before; nothing is computed. What fails becomes one sentence and
exit code 2, and the pages stay as they were. The process ends after one render, so that none shows what
another has read.
"""

import gc
import hashlib
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError, first_few, reason
from reporting.watching import MADE, stamps, stamps_of

if TYPE_CHECKING:  # which takes a second to read, and a preview waits for it later
    from reporting.document import Document
    from reporting.rendering.project import Site

MEMORY = "made.json"
"""The file beside the pages that says from what they were made, and what of them is searched."""
SITE = "site"
SLOW = ("IPython.core.interactiveshell", "nbformat.v4", "reporting.prepare", "reporting.render")
"""What takes long to import, and is read before it is asked for."""


def render(root: Path, folder: Path, *, draw: bool) -> None:
    """Bring the pages in `folder` up to date with what the project in `root` says now.

    Raises:
        UserError: if a page or a template cannot be shown.
    """
    from experiments.project import open_project
    from reporting.document import open_document
    from reporting.prepare import draw_figures
    from reporting.proofread import refuse_mistakes
    from reporting.rendering import project

    site = project.load(root)
    document = open_document(open_project(root=root))
    with _suspecting(document):
        refuse_mistakes(document)
        if draw:
            draw_figures(document)
        _write(document, site, folder)


def _write(document: "Document", site: "Site", folder: Path) -> None:
    from reporting.document import lent
    from reporting.render import write
    from reporting.rendering import cells, html

    root = document.project.root
    made, memory = _read(folder / MEMORY), {}
    files = stamps(root) | stamps_of(root, (root / MADE).rglob("*"))
    around = repr([each for each in files.items() if not each[0].endswith((".qmd", ".j2"))])
    with tempfile.TemporaryDirectory(dir=folder) as new, ThreadPoolExecutor() as pool, lent(document):
        writing = {}
        for page in reversed(site.pages):  # the last is the one to open: the report, which takes longest
            markdown = cells.run_here(cells.draft(page, root, on_paper=False))
            digest = hashlib.sha256(f"{page}{site.navigation}{markdown.text}{around}".encode()).hexdigest()
            memory[page.name] = made.get(page.name, {})
            if memory[page.name].get("digest") != digest:
                memory[page.name] = {"digest": digest}
                writing[page.name] = pool.submit(write, page, markdown, site, Path(new), on_paper=False)
        for page in site.pages:
            if page.name in writing:
                tree = writing[page.name].result()
                memory[page.name]["passages"] = [*html.passages(page, tree)]
        if site.searched:
            entries = [entry for page in site.pages for entry in memory[page.name]["passages"]]
            (Path(new) / "search.js").write_text(html.index_of(entries), encoding="utf-8", newline="\n")
        (folder / SITE).mkdir(exist_ok=True)
        for file in {*(folder / SITE).glob("*.html")}:
            if file.name not in {name for page in site.pages for name in (page.html_name, *page.aliases)}:
                file.unlink()
        for file in Path(new).iterdir():
            file.replace(folder / SITE / file.name)
    (folder / MEMORY).write_text(json.dumps(memory), encoding="utf-8")


def read_ahead(root: Path) -> None:
    """Read the modules that take long, and all templates: a render reads again only those that changed."""
    for module in SLOW:
        importlib.import_module(module)
    from reporting.document import templates_in
    from reporting.proofread import all_prose

    environment = templates_in(root / "templates")
    for name in environment.list_templates(extensions=["j2"]):
        with suppress(Exception):  # whatever is wrong with it, the render tells
            environment.get_template(name)
    with suppress(Exception):
        deque(all_prose(root), maxlen=0)


@contextmanager
def _suspecting(document: "Document") -> Iterator[None]:
    """Add to an error that is none of the user's which results were altered by hand: they may be why."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if document.altered:
            stages, command = first_few(document.altered, between=", "), document.command(document.altered)
            error.add_note(f"The results of {stages}, which were altered by hand, may be why: {command}.")
        raise


def _read(file: Path) -> dict:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _sentence(error: Exception, root: Path) -> str:
    """Say what is wrong with code, and where: the last of the project's own lines that it went through."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((Path(error.filename), error.lineno))
    own = [(path.relative_to(root), line) for path, line in frames if path.is_relative_to(root)]
    where = f"{own[-1][0].as_posix()}:{own[-1][1]}: " if own else ""
    return " ".join([f"{where}{type(error).__name__}: {reason(error)}.", *getattr(error, "__notes__", ())])


def main() -> None:
    """Read the code, wait, render; what goes wrong is one sentence and exit code 2."""
    root, folder = Path.cwd(), Path(sys.argv[1])
    try:
        read_ahead(root)
        gc.freeze()  # what was read stays: looking for garbage in it would be in vain
        asked = sys.stdin.readline().strip()
        if asked:
            render(root, folder, draw=asked == "draw")
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except Exception as error:  # of code that is being edited: the author reads a place and a reason
        print(_sentence(error, root), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # taking down Python and four IPython shells takes a second, and all files are closed
