"""What is handed in: `python -m reporting.submission` writes one zip, equal bytes for equal content.

It holds the pages with their PDF, the sources with their locks, the results, and a manifest that
`sha256sum -c` reads.
"""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements-render.txt")

import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from experiments.profile import active
from pipeline.errors import UserError, sentence
from pipeline.files import write_whole
from pipeline.manifest import entry
from reporting.watching import stamps

MANIFEST = "MANIFEST.sha256"
SITE = "_site"
_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip, the first that the format knows: today's would make each zip another."""


def sources(root: Path) -> list[str]:
    """Return what Git tracks, or without Git all files but those that can be made again."""
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "-z", "--cached"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"Git cannot say what it tracks: {done.stderr.strip()}")
        return sorted(name for name in done.stdout.split("\0") if (root / name).is_file() and name)
    return sorted(_files(root))


def _files(root: Path) -> Iterator[str]:
    """Yield the files that `.gitignore` does not name, by their paths."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    given = [line for line in lines if line and not line.startswith("#")]
    # With a slash within it, a pattern is that of a whole path, but for `**/`, which stands for any folder.
    patterns = [each.rstrip("/").removeprefix("**/") for each in [*given, ".git"]]
    patterns = [f"/{each.lstrip('/')}" if "/" in each else each for each in patterns]
    for folder, folders, files in os.walk(root):
        here = PurePosixPath("/", Path(folder).relative_to(root).as_posix())
        folders[:] = [name for name in folders if not any((here / name).match(each) for each in patterns)]
        for name in files:
            if not any((here / name).match(each) for each in patterns):
                yield (here / name).relative_to("/").as_posix()


def refuse_unfit(root: Path) -> None:
    """Refuse pages that are older than what they are made from, or that the check does not pass.

    Raises:
        UserError: in one sentence that says which, and what to run.
    """
    report = root / SITE / "report.pdf"
    if not report.is_file() or not (root / SITE / "report.html").is_file():
        raise UserError(f"There is no report in {SITE}: run `make report` first.")
    rendered = min(path.stat().st_mtime_ns for path in (report, root / SITE / "report.html"))
    others = [f"{path.relative_to(root).as_posix()}/" for path in (root / "results").iterdir()]
    others = tuple(name for name in others if name != f"results/{active()}/")
    changed = {name: at for name, (at, _) in stamps(root).items() if not name.startswith(others)}
    newer = [name for name, at in changed.items() if at > rendered]
    if newer:
        raise UserError(
            f"{SITE} is older than {newer[0]}, so nothing was packed: run `make report`, then this again."
        )
    command = [sys.executable, "-m", "reporting.check"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        first = next(iter((done.stdout + done.stderr).strip().splitlines()), "no word")
        raise UserError(f"`make check` fails, so nothing was packed: {first}")


def pack(root: Path, target: Path) -> None:
    """Write the zip: sources, results and pages, each with its SHA-256 in the manifest."""
    pages = [path.relative_to(root).as_posix() for path in (root / SITE).rglob("*") if path.is_file()]
    results = [
        path.relative_to(root).as_posix()
        for path in (root / "results" / active()).rglob("*")
        if path.is_file() and not path.name.endswith((".lock", ".part"))
    ]
    names = sorted({*sources(root), *results, *pages} - {MANIFEST})
    written, lines = io.BytesIO(), []
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in names:
            content, runs = (root / name).read_bytes(), (root / name).stat().st_mode & 0o100
            whole.writestr(_packed(name, 0o755 if runs else 0o644), content)
            lines.append(entry(hashlib.sha256(content).hexdigest(), name))
        whole.writestr(_packed(MANIFEST, 0o644), "".join(lines))
    write_whole(target, written.getvalue())


def _packed(name: str, mode: int) -> zipfile.ZipInfo:
    packed = zipfile.ZipInfo(name, _TIME)
    packed.compress_type = zipfile.ZIP_DEFLATED
    packed.create_system = 3  # Unix, wherever it is written
    packed.external_attr = (0o100000 | mode) << 16
    return packed


def main(
    profile: Annotated[str | None, typer.Option(help="The profile that was reported on.")] = None,
) -> None:
    """Pack the report of the project in the current folder, if its pages are what its results say."""
    if profile is not None:
        os.environ["QUARTO_PROFILE"] = profile
    root = Path.cwd()
    target = root / f"submission-{active()}.zip"
    try:
        refuse_unfit(root)
        pack(root, target)
    except (UserError, OSError) as error:
        print(sentence(error), file=sys.stderr)
        raise typer.Exit(2) from error
    print(f"{target.name}: unzip it and run `sha256sum -c {MANIFEST}`, or `make report`.")


if __name__ == "__main__":
    with startup.over():
        typer.run(main)
