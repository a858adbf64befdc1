"""What is to be rendered: `_quarto.yml` and the front matter of its pages, strictly read."""

import datetime
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from reporting.labels import labels_of
from reporting.rendering import schema, settings
from reporting.rendering.settings import Source, as_list

CONFIGURATION = "_quarto.yml"
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_LOADS = re.compile(r"(?i)@import|\b(?:url|src|image|image-set)\(|</")
_MADE = {".cache", "_figures", "_site"}
_NEITHER_READ_NOR_IGNORED = ("_metadata.yml", "_variables.yml", "_quarto.yaml", "_extensions")


def without_front_matter(text: str) -> str:
    """Return a page's text, in which blank lines stand for the front matter."""
    return FRONT_MATTER.sub(lambda found: "\n" * found[0].count("\n"), text.removeprefix("\ufeff"))


@dataclass(frozen=True)
class Options:
    """How one format of one page looks."""

    toc: bool
    toc_depth: int
    toc_title: str | None
    number_sections: bool
    css: tuple[str, ...]
    scripts: tuple[str, ...]
    include_in_header: tuple[str, ...]
    filters: tuple[str, ...]
    others: dict[str, Any]


@dataclass(frozen=True)
class Author:
    """A name, and the number that a course knows it by."""

    name: str
    student: str | None


@dataclass(frozen=True)
class Page:
    """One `.qmd` file: its metadata, and its text, in which blank lines stand for the front matter."""

    name: str
    text: str
    title: str
    subtitle: str | None
    course: str | None
    assignment: str | None
    authors: tuple[Author, ...]
    date: str | None
    description: str | None
    lang: str
    aliases: tuple[str, ...]
    hides_code: bool
    hides_warnings: bool
    html: Options
    typst: Options | None

    @property
    def html_name(self) -> str:
        """The page's file in the site."""
        return f"{Path(self.name).stem}.html"

    @property
    def pdf_name(self) -> str | None:
        """The PDF's file in the site, for a page that has one."""
        return None if self.typst is None else f"{Path(self.name).stem}.pdf"


@dataclass(frozen=True)
class Site:
    """The whole project."""

    root: Path
    output: Path
    title: str
    navigation: tuple[tuple[str, str], ...]
    pages: tuple[Page, ...]
    pre_render: tuple[str, ...]
    searched: bool
    bibliography: Path | None
    references_title: str | None
    css: str
    css_classes: frozenset[str]
    scripts: tuple[str, ...]


def is_writable(root: Path) -> bool:
    """Tell whether files can be made in a folder."""
    try:
        with tempfile.TemporaryFile(dir=root):
            return True
    except OSError:
        return False


@contextmanager
def led_to(root: Path) -> Iterator[Path]:
    """Lend a folder with a link to each part of the project, but to what is made when it is rendered."""
    with tempfile.TemporaryDirectory(prefix="project-") as folder:
        for path in root.iterdir():
            if path.name not in _MADE:
                Path(folder, path.name).symlink_to(path)
        yield Path(folder).resolve()


def load(root: Path) -> Site:
    """Read the project in a folder."""
    _refuse_other_configuration(root)
    configuration = settings.read(Source(CONFIGURATION, _text(root, CONFIGURATION)), schema.PROJECT)
    project, website = configuration.get("project", {}), configuration.get("website", {})
    names = as_list(project.get("render"))
    if not names:
        raise UserError(f"{CONFIGURATION}: project.render must list the pages, such as [report.qmd].")
    pages = tuple(_page(root, name, configuration) for name in names)
    _refuse_clashes(pages)
    # Every page wears the same style, so that a class known on one page is known on all.
    css = "\n".join(_css(root, name) for name in _once(page.html.css for page in pages))
    return Site(
        root=root,
        output=_output(root, project.get("output-dir", "_site")),
        title=website.get("title", pages[0].title),
        navigation=_navigation(as_list(website.get("navbar", {}).get("left")), pages),
        pages=pages,
        pre_render=tuple(_program(root, name) for name in as_list(project.get("pre-render"))),
        searched=website.get("search", True),
        bibliography=_bibliography(root, configuration),
        references_title=configuration.get("reference-section-title"),
        css=css,
        css_classes=frozenset(re.findall(r"\.(-?[A-Za-z_][\w-]*)", css)),
        scripts=tuple(_script(root, name) for name in _once(page.html.scripts for page in pages)),
    )


def _refuse_other_configuration(root: Path) -> None:
    profiles = (f"_quarto-{name}.yml" for name in os.environ.get("QUARTO_PROFILE", "").split(",") if name)
    for name in (*_NEITHER_READ_NOR_IGNORED, *profiles):
        if (root / name).exists():
            raise UserError(f"{name}: the built-in renderer reads {CONFIGURATION} only; use Quarto.")


def _text(root: Path, name: str) -> str:
    try:
        return (root / name).read_text(encoding="utf-8").removeprefix("\ufeff")
    except FileNotFoundError:
        raise UserError(f"{name}: there is no such file in {root}.") from None
    except UnicodeDecodeError:
        raise UserError(f"{name}: the file is not UTF-8 text.") from None


def _page(root: Path, name: str, configuration: dict[str, Any]) -> Page:
    if Path(name).name != name or not name.endswith(".qmd"):
        raise UserError(
            f"{CONFIGURATION}: project.render: {name!r} must be a .qmd file beside {CONFIGURATION}."
        )
    whole = _text(root, name)
    found = FRONT_MATTER.match(whole)
    given = settings.read(Source(name, found[1], first_line=2), schema.PAGE) if found else {}
    if "title" not in given:
        raise UserError(f"{name}:1: the front matter must give a title.")
    inherited = {key: configuration[key] for key in schema.EVERYWHERE if key in configuration}
    execute = inherited.get("execute", {}) | given.get("execute", {})
    merged = inherited | given
    formats = configuration.get("format", {"html": {}})
    wanted = given.get("format", formats)
    if "html" not in wanted:
        raise UserError(f"{name}:1: the format must include html.")
    html = _options(root, formats.get("html", {}) | wanted["html"])
    typst = _options(root, formats.get("typst", {}) | wanted["typst"]) if "typst" in wanted else None
    if typst is not None and not typst.include_in_header:
        raise UserError(
            f"{name}:1: format.typst needs an include-in-header that says what paper looks like: "
            "reporting/looks/print.typ."
        )
    if typst is not None and typst.number_sections != html.number_sections:
        raise UserError(f"{name}:1: number-sections must be the same for html and typst.")
    date = merged.get("date")
    if date and typst is not None and "date-format" not in merged:
        raise UserError(
            f"{name}:1: a date needs a date-format (long or iso), without which Quarto prints the date on "
            "paper in digits and on the page in words."
        )
    return Page(
        name=name,
        text="\n" * found[0].count("\n") + whole[found.end() :] if found else whole,
        title=given["title"],
        subtitle=given.get("subtitle"),
        course=given.get("course"),
        assignment=given.get("assignment"),
        authors=tuple(map(_author, as_list(given.get("author")))),
        date=date and _day(date, merged),
        description=given.get("description"),
        lang=merged.get("lang", "en"),
        aliases=tuple(_alias(name, alias) for alias in as_list(given.get("aliases"))),
        hides_code=execute.get("echo") is False,
        hides_warnings=execute.get("warning") is False,
        html=html,
        typst=typst,
    )


def _author(given: Any) -> Author:
    is_name = isinstance(given, str)
    return Author(given, None) if is_name else Author(given["name"], given.get("student"))


def _day(date: datetime.date, merged: dict[str, Any]) -> str:
    if merged.get("date-format") == "iso":
        return date.isoformat()
    return labels_of(merged.get("lang", "en")).day(date)


def _options(root: Path, given: dict[str, Any]) -> Options:
    rest = dict(given)

    def files(key: str) -> tuple[str, ...]:
        given = as_list(rest.pop(key, None))
        names = [(schema.script_of(item["text"]) or "") if isinstance(item, dict) else item for item in given]
        for name in names:
            if not (root / name).is_file():
                raise UserError(f"{CONFIGURATION}: {key}: there is no file {name} in {root}.")
        return tuple(names)

    return Options(
        toc=rest.pop("toc", False),
        toc_depth=rest.pop("toc-depth", 3),
        toc_title=rest.pop("toc-title", None),
        number_sections=rest.pop("number-sections", False),
        css=files("css"),
        scripts=files("include-after-body"),
        include_in_header=files("include-in-header"),
        filters=files("filters"),
        others=rest,
    )


def _alias(name: str, alias: str) -> str:
    if Path(alias).name != alias or not alias.endswith(".html"):
        raise UserError(
            f"{name}:1: the alias {alias!r} must be the name of an .html file in the site's folder."
        )
    return alias


def _refuse_clashes(pages: tuple[Page, ...]) -> None:
    files = Counter(file for page in pages for file in (page.html_name, *page.aliases))
    for file, times in files.items():
        if times > 1:
            raise UserError(f"{CONFIGURATION}: {times} pages or aliases would be written to {file}.")


def _once(names: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(names)))


def _css(root: Path, name: str) -> str:
    css = _text(root, name)
    plain = _without_escapes(css)
    if forbidden := _LOADS.search(plain):
        line = plain.count("\n", 0, forbidden.start()) + 1
        raise UserError(f"{name}:{line}: {forbidden[0]!r} is not supported: a page must load nothing.")
    return css


def _without_escapes(css: str) -> str:
    """A style as a browser reads it, to whom an escape such as `\\75` is as good as its letter."""
    letters = re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda escape: chr(min(int(escape[1], 16), 0x10FFFF)), css)
    return letters.replace("\\", "")


def _script(root: Path, name: str) -> str:
    """The text of a script, which stands in the page itself: a page from a file may load none."""
    script = _text(root, name).strip()
    if "</script" in script.lower():
        raise UserError(f"{name}: '</script' would end the script within a page: write it in two parts.")
    return script


def _output(root: Path, name: str) -> Path:
    output = (root / name).resolve()
    if output.parent != root.resolve():
        raise UserError(
            f"{CONFIGURATION}: project.output-dir must be a folder beside {CONFIGURATION}: _site."
        )
    return output


def _program(root: Path, name: str) -> str:
    if not name.endswith(".py") or not (root / name).is_file():
        raise UserError(f"{CONFIGURATION}: project.pre-render: {name!r} must be an existing .py file.")
    return name


def _bibliography(root: Path, configuration: dict[str, Any]) -> Path | None:
    name = configuration.get("bibliography")
    if name is None:
        return None
    if not (root / name).is_file():
        raise UserError(f"{CONFIGURATION}: bibliography: there is no file {name} in {root}.")
    if configuration.get("citeproc") is not True or configuration.get("link-citations") is not True:
        raise UserError(
            f"{CONFIGURATION}: a bibliography needs `citeproc: true`, without which Quarto leaves the PDF's "
            "citations to Typst, and `link-citations: true`."
        )
    return root / name


def _navigation(items: list[Any], pages: tuple[Page, ...]) -> tuple[tuple[str, str], ...]:
    by_name = {page.name: page for page in pages}
    links = []
    for item in items:
        name = item if isinstance(item, str) else item["href"]
        if name not in by_name:
            raise UserError(f"{CONFIGURATION}: website.navbar: {name!r} is not a page in project.render.")
        label = by_name[name].title if isinstance(item, str) else item.get("text", by_name[name].title)
        links.append((by_name[name].html_name, label))
    return tuple(links)
