"""The report by Quarto: rendered into a new folder, so that the last good site stays if Quarto fails."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from pipeline.errors import UserError
from reporting.rendering.output import replacing, resolved
from reporting.rendering.project import FRONT_MATTER

LOG = Path(".cache") / "quarto.log"
_PROGRESS = re.compile(r"\[\d+/\d+\] ")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LEFT_BEHIND = ("{}.html", "{}.typ", "{}.pdf", "{}_files", "{}.quarto_ipynb", "site_libs")
"""What Quarto writes beside a page, and moves into the site only when all pages are done."""


def program() -> str | None:
    """The Quarto on PATH, or None."""
    return shutil.which("quarto")


def render(root: Path, output: Path | None = None) -> Path:
    """Render the project in a folder by Quarto; the site appears whole at the end, or stays as it was.

    Raises:
        UserError: if Quarto fails; the sentence names its log.
    """
    project = _project(root)
    target = resolved(output or root / project.get("output-dir", "_site"))
    stems = [Path(name).stem for name in project.get("render", [])]
    pages = [f"{stem}.html" for stem in stems]
    own = pages if output is None else []
    with _alone(root), replacing(target, root, own) as new, _cleaned(root, stems):
        log = root / LOG
        command = [program() or "quarto", "render", "--output-dir", os.path.relpath(new, root)]
        code = _run(command, root, log)
        missing = [page for page in pages if not (new / page).is_file()]
        if code == 0 and missing:
            raise UserError(
                f"Quarto ended without making {', '.join(missing)}, so {target.name} stays as it was: is "
                f"each page that _quarto.yml lists there? What it said is in {LOG}."
            )
        if code != 0:
            raise UserError(
                f"Quarto ended with exit code {code}, so {target.name} stays as it was; {LOG} says why: "
                f"{_reason(log)}"
            )
    return target


def files(root: Path) -> list[str]:
    """Return the files of the site for the pages that a project lists: HTML, also by other names, and PDF."""
    found = []
    for name in map(str, _project(root).get("render") or []):
        if name.endswith(".qmd") and not set("*?[!") & set(name):
            front = _front_matter(root / name)
            formats = front.get("format") or _configuration(root).get("format") or ()
            found += [
                f"{Path(name).stem}.html",
                *(str(name).lstrip("/") for name in front.get("aliases") or []),
            ]
            found += [f"{Path(name).stem}.pdf"] if "typst" in formats else []
    return found


def _front_matter(page: Path) -> dict[str, Any]:
    """What stands at the head of a page, nothing where it cannot be read: whoever renders it says so."""
    try:
        found = FRONT_MATTER.match(page.read_text(encoding="utf-8"))
        return dict(yaml.safe_load(found[1]) or {}) if found else {}
    except (OSError, ValueError, yaml.YAMLError, TypeError):
        return {}


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the project's pages: two renders by Quarto would write the same files beside them."""
    (root / ".cache").mkdir(exist_ok=True)
    try:
        with FileLock(root / ".cache" / "quarto.lock", timeout=0):
            yield
    except Timeout:
        raise UserError(f"Another render by Quarto is running in {root}: wait for it to end.") from None


def _project(root: Path) -> dict[str, Any]:
    """The `project` section of `_quarto.yml`."""
    return _configuration(root).get("project") or {}


def _configuration(root: Path) -> dict[str, Any]:
    """What stands in `_quarto.yml`, read as loosely as Quarto does."""
    try:
        whole = dict(yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8")) or {})
        return whole | {"project": dict(whole.get("project") or {})}
    except (OSError, ValueError, yaml.YAMLError, TypeError) as error:
        raise UserError(f"_quarto.yml in {root} cannot be read: {error}") from error


def _run(command: list[str], root: Path, log: Path) -> int:
    """Run Quarto with this Python; all that it says goes to the log.

    What it says before the first page (of results that are computed), and its count of pages, are also for
    the user.
    """
    environment = os.environ | {"QUARTO_PYTHON": sys.executable}
    with (
        log.open("w", encoding="utf-8", buffering=1) as record,
        subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        before_pages = True
        for line in process.stdout:
            plain = _COLOUR.sub("", line)
            record.write(plain)
            counted = bool(_PROGRESS.match(plain))
            before_pages = before_pages and not counted
            if plain.strip() and (counted or before_pages):
                print(plain.strip(), file=sys.stderr)
    return process.returncode


def _reason(log: Path) -> str:
    """The line of the log that says most: the first that names an error, else the last; and what it opens."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    for line, following in pairwise([*lines, ""]):
        if re.match(r"(?i)error|\S+Error:", line):
            return f"{line} {following}".strip() if line.endswith(":") else line
    return lines[-1] if lines else "it said nothing"


@contextmanager
def _cleaned(root: Path, stems: list[str]) -> Iterator[None]:
    """Remove what a failed render leaves beside the pages, but nothing that was there before."""
    files = [root / pattern.format(stem) for stem in stems for pattern in _LEFT_BEHIND]
    before = {file for file in files if file.exists()}
    try:
        yield
    except BaseException:
        for file in files:
            if file.is_dir() and file not in before:
                shutil.rmtree(file, ignore_errors=True)
            elif file not in before:
                file.unlink(missing_ok=True)
        raise
