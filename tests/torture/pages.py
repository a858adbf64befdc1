"""Inputs that are pages, or stand on one: what is not supported, hostile texts, styles that load things."""

import hashlib
import io
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import typer

from reporting.markdown import escape
from reporting.render import main, render
from reporting.rendering import pandoc
from reporting.rendering.output import MARK
from tests.reporting.rendering.test_refusals import UNSUPPORTED
from tests.support.pages import HOSTILE, Project
from tests.torture.faults import at_most
from tests.torture.inputs import Row, Seen
from tests.torture.processes import start
from tests.torture.trials import LOST, OTHERWISE, TRACEBACK, Problem, Trial


def rows() -> Iterator[Row]:
    """Yield the inputs of pages."""
    for case, (body, _, word) in UNSUPPORTED.items():
        yield page(case, body, "|".join(map(re.escape, word.split("|"))))
    for case, (body, said) in HIDDEN.items():
        yield page(case, body, said)
    for text in HOSTILE:
        yield page(f"shown as text: {text[:30]}", f"{escape(text)}\n", right=shows(text))
    marked = lambda root, seen: TURNED not in html(root)  # noqa: E731
    yield page("a right-to-left override", f"{escape(TURNED)} and more\n", right=marked)
    for case, css in STYLES.items():
        yield page(f"a style: {case}", "x\n", r"style\.css:2", style=css)
    for case, files in OTHERS.items():
        name = f"a site in place of {case}"
        yield Row("pages", name, others(files), "is not a site", stay(files), rendered("mine"))
    for case, line in (
        ("usetex", "text.usetex: True"),
        ("a size", "font.size: 30"),
        ("ticks", "xtick.labelsize: 9"),
    ):
        yield Row(
            "pages", f"a matplotlibrc of the user's: {case}",
            lambda root, line=line: (root / "matplotlibrc").write_text(f"{line}\n"), command=drawing,
            right=lambda root, seen: seen.said.strip() == drawing(root),
        )  # fmt: skip

    yield Row(
        "pages", "brackets in which Pandoc finds no end", endless, r"report\.qmd:\d+: .*Pandoc found no end",
        command=impatient,
    )  # fmt: skip


TURNED = "a \u202egnp.exe"
HIDDEN = {
    "a tag of a script in a callout's title": (
        '::: {.callout-note title="<script>alert(1)</script>"}\nx\n:::\n',
        "raw|HTML|html",
    ),
    "a link to a script in a callout's title": (
        '::: {.callout-note title="[x](javascript:alert)"}\nx\n:::\n',
        "leads to no page",
    ),
    "raw Typst in a callout's title": (
        '::: {.callout-note title="`#read(\\"/etc/passwd\\")`{=typst}"}\nx\n:::\n',
        "raw|typst|attribute",
    ),
    "a picture from elsewhere in a callout's title": (
        '::: {.callout-note title="![](https://a.b/c.svg)"}\nx\n:::\n',
        "must be an .svg|alternative",
    ),
    "an anchor to nothing on the same page": ("[y](report.qmd#nowhere)\n", "nowhere"),
}
STYLES = {
    "an address": "a { background: url(https://a.b/c.png); }",
    "an address with an escape": "a { background: \\75rl(https://a.b/c.png); }",
    "an address with an escape inside": "a { background: u\\000072 l(https://a.b/c.png); }",
    "an import": "@import 'x.css';",
    "an import with an escape": "@\\69mport 'x.css';",
    "its own end": "</style>",
}
OTHERS = {
    "one report": ("report.html",),
    "a report and a thesis": ("report.html", "thesis.docx"),
    "a site and a thesis": (MARK, "report.html", "thesis.docx"),
    "a folder": ("pets/dog.jpg",),
}


def page(
    case: str, body: str, said: str = "", right: Callable[[Path, Seen], bool] = lambda root, seen: True,
    style: str = "",
) -> Row:  # fmt: skip
    """Return the row of a page with this body."""

    def arrange(root: Path) -> None:
        (root / "site").mkdir()
        project = Project(root / "site").page(body)
        if style:
            project.write("style.css", f"\n{style}\n")

    return Row("pages", case, arrange, said, right, rendered())


def endless(root: Path) -> None:
    """Lay out a page of brackets that are never closed."""
    (root / "site").mkdir()
    Project(root / "site").page(f"x\n\n{'[' * 20_000}\n")


def impatient(root: Path) -> object:
    """Render, and wait for Pandoc for a few seconds alone."""
    pandoc.PATIENCE = 5
    return rendered()(root)


def rendered(output: str | None = None) -> Callable[[Path], object]:
    """Return the call that renders the project in the folder ``site``."""
    return lambda root: render(root / "site", root / output if output else None)


def html(root: Path) -> str:
    """Return the page that was rendered."""
    return (root / "site" / "_site" / "report.html").read_text(encoding="utf-8")


def shows(text: str) -> Callable[[Path, Seen], bool]:
    """Return whether the page shows this text as it is, and no more tags than a page has."""

    def right(root: Path, seen: Seen) -> bool:
        found: Any = Project(root / "site").parsed()
        shown = " ".join(found.words.replace("\N{WORD JOINER}", "").split())
        return " ".join(text.split()) in shown and "alert(1)</script>" not in html(root)

    return right


def others(files: tuple[str, ...]) -> Callable[[Path], None]:
    """Return what lays out a page, and a folder of somebody's files."""

    def arrange(root: Path) -> None:
        (root / "site").mkdir()
        Project(root / "site").page("x\n")
        for name in files:
            (root / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "mine" / name).touch()

    return arrange


def stay(files: tuple[str, ...]) -> Callable[[Path, Seen], bool]:
    """Return whether these files are all that is there."""
    return lambda root, seen: (
        {path.relative_to(root / "mine").as_posix() for path in (root / "mine").rglob("*") if path.is_file()}
        == {*files}
    )


def faults() -> Iterator[Trial]:
    """Yield faults that strike a render of pages where there is a site already."""
    for number, signum in enumerate((signal.SIGKILL,) * 4 + (signal.SIGINT, signal.SIGTERM) * 2):
        yield Trial("a render that is stopped", f"{signum.name} {number}", stopped(signum), is_fault=True)
    for limit in (0, 100, 20_000):
        yield Trial("a render without room", f"{limit} bytes", without_room(limit), is_fault=True)


def again(folder: Path) -> Path:
    """Render a page, and write another in its place; return the project's folder."""
    (folder / "site").mkdir()
    project = Project(folder / "site").page("The old page.\n")
    start(folder, project.render).ended()
    project.page("The new page.\n" + "word " * 5_000)
    return folder


def whole(folder: Path) -> Iterator[Problem]:
    """Say whether there is no longer a whole site, the old one or the new, or whether none can be made."""
    site, names = folder / "site" / "_site", {"report.html", "report.pdf", "index.html"}
    shown = html(folder) if (site / "report.html").is_file() else ""
    if not names <= {path.name for path in site.glob("*")} or not shown.rstrip().endswith("</html>"):
        yield Problem(LOST, "the last good site")
    done = start(folder, lambda: Project(folder / "site").render()).ended()
    if done.code or "The new page." not in html(folder):
        yield Problem(OTHERWISE, f"the next render does not make the pages: {done.said[-300:]}")
    if left := [path.name for path in (folder / "site" / ".cache").glob("*site-*")]:
        yield Problem(OTHERWISE, f"what a killed render left stays: {left}")


def stopped(signum: signal.Signals) -> Callable[[Path, Random], list[Problem]]:
    """Return the attempt that sends a render a signal at a random moment."""

    def attempt(folder: Path, random: Random) -> list[Problem]:
        root = again(folder)
        running = start(root / "site", command_line)
        time.sleep(random.uniform(0.05, 1.5))
        running.kill(signum)
        found = running.ended()
        # The command ends by the signal, in its own words where it is the keyboard, or was done already.
        problems = [Problem(TRACEBACK, found.said[-500:])] if found.has_traceback else []
        return [*problems, *whole(root)]

    return attempt


def without_room(limit: int) -> Callable[[Path, Random], list[Problem]]:
    """Return the attempt that renders where no file may be larger."""

    def attempt(folder: Path, random: Random) -> list[Problem]:
        root = again(folder)
        found = start(root / "site", command_line, at_most(limit)).ended()
        problems = [Problem(TRACEBACK, found.said[-500:])] if found.has_traceback else []
        if found.code not in (0, 2):
            problems.append(Problem(OTHERWISE, f"exit code {found.code}: {found.said[-300:]}"))
        return [*problems, *whole(root)]

    return attempt


def command_line() -> None:
    """Render as ``python -m reporting.render --renderer builtin`` does."""
    sys.argv = ["render", "--renderer", "builtin"]
    typer.run(main)


def drawing(root: Path) -> str:
    """Return the hash of a figure drawn where ``matplotlibrc`` stands, if `root` is the current folder."""
    os.environ["SOURCE_DATE_EPOCH"] = "1"
    from figures.style import new_figure, styled

    figure, content = new_figure(height=1.4), io.StringIO()
    with styled():
        axes = figure.subplots()
        axes.barh(["a", "b"], [1, 2])
        axes.set_xlabel("words a caption")
        figure.savefig(content, format="svg")
    return hashlib.sha256(content.getvalue().encode()).hexdigest()
