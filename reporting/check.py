"""The check of the pages: `python -m reporting.check` reads every number's origin again and compares.

Each element that names an origin must show what stands there now, in the format that it names; no
other number may stand on a page, but for those of its structure (`reporting.checking.page` lists
them) and those that the author marked; a PDF must show what its page shows; and the evidence must carry each
sentence that the author bound to it (`reporting.proofread` reads the pages' sources).
"""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from experiments.profile import active
from experiments.project import open_project
from figures.readable import readable
from pipeline.errors import UserError, first_few, sentence
from pipeline.files import read_text
from reporting import proofread, quarto
from reporting.checking import page, paper
from reporting.document import open_document, showing
from reporting.numbers import FORMATS, Numbers

APPENDIX = "appendix.html"
"""The page whose text follows that of its own page in a PDF."""


@dataclass(frozen=True)
class Outcome:
    """A line for each thing that the results do not say, and how many numbers on how many pages were read."""

    problems: tuple[str, ...]
    numbers: int
    pages: int


def check(site: Path, numbers: Numbers, typed: Collection[str] = ()) -> Outcome:
    """Compare every page of a site with the results; what was `typed` is told of its source, or exempt there.

    Raises:
        UserError: if there is no page.
    """
    pages = {path: page.parse(read_text(path)) for path in sorted(site.glob("*.html"))}
    pages = {path: tree for path, tree in pages.items() if not page.is_redirect(tree)}
    if not pages:
        raise UserError(f"There are no pages in {site}: run `make report` first.")
    appended = [tree for path, tree in pages.items() if path.name == APPENDIX]
    problems = [
        problem for path, tree in pages.items() for problem in _problems(path, tree, numbers, appended, typed)
    ]
    return Outcome(tuple(problems), sum(len(page.origins(tree)) for tree in pages.values()), len(pages))


def refuse_gaps(root: Path, site: Path) -> None:
    """Refuse a site of which a page that the project lists, or the PDF of one that has it, is gone or empty.

    Raises:
        UserError: in a sentence that names them.
    """
    listed = quarto.files(root) if (root / "_quarto.yml").is_file() else []
    gone = [name for name in listed if not (site / name).is_file() or not (site / name).stat().st_size]
    if gone:
        raise UserError(
            f"There is no {first_few(gone, 3, ', ')} in {site}, or nothing in it: run `make report`."
        )


def _problems(
    path: Path,
    tree: page.Element,
    numbers: Numbers,
    appended: Sequence[page.Element],
    typed: Collection[str],
) -> Iterator[str]:
    for origin in page.origins(tree):
        what = disagreement(origin, numbers)
        if what is not None:
            yield f"{path.name}: {what}: {origin.path}"
    for word, where in page.bare_numbers(tree):
        if not set(page.numbers_in(word)) <= set(typed):
            yield f"{path.name}: {word!r} names no origin: {where}"
    for mark, where in page.lost_marks(tree):
        yield f"{path.name}: {mark!r} has no footnote, which is a paragraph of this page ({mark}: …): {where}"
    for word, where in page.bare_alternatives(tree):
        yield f"{path.name}: {word!r} in an alternative text names no origin: {where}"
    pdf = path.with_suffix(".pdf")
    if pdf.is_file():
        for what, where in paper.differences([tree, *appended], pdf):
            yield f"{pdf.name}: {what}: {where}"


def disagreement(origin: page.Origin, numbers: Numbers) -> str | None:
    """Return what is wrong with text that names its origin, or None if it is what stands there."""
    if origin.how is None or origin.how not in FORMATS:
        return f"{origin.text!r} is in no known format ({origin.how})"
    try:
        expected = page.squeezed(readable(FORMATS[origin.how](numbers.at(origin.path))))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return f"{origin.text!r} has an origin that cannot be read as {origin.how}"
    return None if expected == origin.text else f"{origin.text!r} should be {expected!r}"


def main(
    site: Annotated[Path, typer.Option(help="The folder of the rendered pages.")] = Path("_site"),
    profile: Annotated[str | None, typer.Option(help="The profile that was reported on.")] = None,
) -> None:
    """Compare the rendered pages of the project in the current folder with its results."""
    try:
        document = open_document(open_project(profile or active(), Path.cwd()))
        with showing(document):
            refuse_gaps(Path.cwd(), site)
            outcome = check(site, document.numbers, proofread.numbers_of_the_author(document))
            sources = [
                *proofread.mistakes(document),
                *proofread.unproven(document),
                *proofread.typed(document),
            ]
        problems = [*sources, *outcome.problems]
        agree = f"{outcome.numbers:,d} numbers on {outcome.pages} pages agree with the results"
        print("\n".join(problems or [agree]), flush=True)
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        raise typer.Exit(2) from error
    if problems:
        raise typer.Exit(1)


if __name__ == "__main__":
    with startup.over():
        typer.run(main)
