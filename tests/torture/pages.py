"""Inputs that are pages, or stand on one: what is not supported, hostile texts, styles that load things."""

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reporting.markdown import escape
from reporting.render import render
from reporting.rendering.output import MARK
from tests.reporting.rendering.test_refusals import UNSUPPORTED
from tests.support.pages import HOSTILE, Project
from tests.torture.inputs import Row, Seen


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


TURNED = "a \u202egnp.exe"
HIDDEN = {
    "a script in a callout's title": (
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
