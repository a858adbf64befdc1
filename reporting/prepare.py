"""The pre-render step: compute what is missing and only reads results, then draw every figure once.

Quarto runs this file with the project's Python before any page; the renderer without Quarto does the same.
"""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    # Quarto runs this as a file, which puts its own folder on the path, where `numbers` would hide
    # the standard library's.
    sys.path[0] = str(ROOT)

from pipeline import startup  # noqa: E402  (found by what stands above)

if __name__ == "__main__":
    startup.guard("requirements-render.txt")


def without_environment(missing: str | None) -> str:
    """Say what to do where the Python that Quarto took lacks a package."""
    said = f"Quarto took the Python {sys.executable}, which lacks the package {missing}: "
    if not (ROOT / ".venv").exists():
        return f"{said}run `make report` once in {ROOT}, which installs what the pages need."
    return f"{said}run Quarto in the folder {ROOT}, whose file _environment names the Python that has it."


try:
    import matplotlib  # noqa: F401  (the first package to be missed, and the last that is imported)

    from experiments.project import open_project
    from pipeline import freshness
    from pipeline.errors import UserError, first_few, sentence
    from pipeline.files import write_if_other
    from pipeline.project import Project
    from reporting.blocks import BLOCKS
    from reporting.document import FIGURES, PICTURES, Document, open_document, showing
    from reporting.enlarging import write_enlarged
    from reporting.proofread import refuse_mistakes
except ModuleNotFoundError as missing:
    if __name__ != "__main__":
        raise
    print(without_environment(missing.name), file=sys.stderr)
    sys.exit(2)


COMPUTE = "REPORT_COMPUTE"
"""The variable of the environment that asks, if it is 1, for a report that runs all that is not fresh."""


def prepare(project: Project, complete: bool, everything: bool = False) -> None:
    """Bring results up to date as far as this may, if this is a complete render, then draw.

    Without being asked for `everything`, that is what is missing and reads results alone, where the packages
    of the experiments are installed: nothing is trained or downloaded, and what is stale stays so. A stage
    that fails is missing on the pages.

    Raises:
        UserError: if a page cites what there is not, or not everything that was asked for could be computed.
    """
    if complete and everything:
        refuse_mistakes(open_document(project))  # before it takes hours
        if not _run(project, []):
            raise UserError(
                "The experiments did not run to their end: mend what they say above and render again, or "
                "leave out --compute for a report of what there is."
            )
    elif complete and importlib.util.find_spec("torch"):
        for name in _missing(project):
            if not _run(project, [name]):
                print(f"{name} could not be computed.", file=sys.stderr)
    document = open_document(project)
    with showing(document):
        refuse_mistakes(document)
        draw_figures(document)
    _watch(project.root)


def draw_figures(document: Document) -> None:
    """Draw each block's figure as ``_figures/<block>.svg``, and remove drawings whose results are gone.

    Small pictures beside the results are enlarged there too.
    """
    from figures.style import save

    folder, without_font = document.project.root / FIGURES, set[str]()
    for name, block in BLOCKS.items():
        if block.figure is None:
            continue
        if document.has_results(block):
            figure = importlib.import_module(block.figure).draw(document.used(block))
            without_font |= {*save(figure, folder / f"{name}.svg")}
        else:
            (folder / f"{name}.svg").unlink(missing_ok=True)
    if without_font:
        print(
            f"No font of this machine has {first_few(sorted(without_font), 8, ' ')}, so boxes stand for them "
            "in figures: install one that has, such as Debian's fonts-noto, and render again.",
            file=sys.stderr,
        )
    write_enlarged(document.project.results.glob("*/*.png"), document.project.root / PICTURES)


def _watch(root: Path) -> None:
    """List the results of all profiles, so that `quarto preview` shows the pages again when one changes.

    Quarto watches every file that the project's metadata name, and reads the list before this runs: so it
    must not depend on the profile, and what lies in the repository stands in `reporting/watched.yml`. A list
    that has not changed is not written: Quarto would take that for a change, and start anew while it renders.
    """
    files = sorted(path.relative_to(root).as_posix() for path in root.glob("results/*/*.json"))
    content = "".join(("watched-results:\n", *(f"  - {json.dumps(file)}\n" for file in files)))
    write_if_other(root / FIGURES / "watched.yml", content.encode())


def _missing(project: Project) -> list[str]:
    """Return the stages that are missing and can be made from results that are there, in their order.

    One that reads data of its own may train or download, and one that builds on a stale result would have it
    made again.
    """
    states = {name: state.state for name, state in freshness.states(project, project.stages).items()}
    missing: list[str] = []
    for name, stage in project.stages.items():
        if states[name] != "missing" or stage.data:
            continue
        there = {source for source in stage.inputs if states[source] == "fresh" or source in missing}
        absent = {source for source in stage.optional if states[source] == "missing"} - there
        if there.union(absent).issuperset(stage.inputs) and (
            not absent or there.intersection(stage.optional)
        ):
            missing.append(name)
    return missing


def _run(project: Project, stages: list[str]) -> bool:
    """Compute stages, all if none, in their own process, whose words go where errors go; tell if it could."""
    command = [sys.executable, "-m", "experiments", "run", *stages, "--profile", project.name]
    return subprocess.run(command, cwd=project.root, stdout=sys.stderr, check=False).returncode == 0


def main() -> None:
    """Prepare the current folder's project; an error of the user's or the system's ends it with code 2."""
    # A preview would show what the cells printed when they last ran, whatever has changed since but the page.
    shutil.rmtree(ROOT / ".quarto" / "_freeze", ignore_errors=True)
    try:
        # Quarto sets this only when the whole project is rendered, never for a preview's updates.
        complete = os.environ.get("QUARTO_PROJECT_RENDER_ALL") == "1"
        prepare(open_project(), complete, everything=os.environ.get(COMPUTE) == "1")
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    with startup.over():  # whoever renders says that it was stopped
        main()
