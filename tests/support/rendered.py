"""The committed project with its pages, rendered once for all tests that only read them."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.commands import python
from tests.support.copies import PAGES, copy_parts

PARTS = ("data", "pipeline", "experiments", "figures", "profiles", "reporting", "results", "templates")


def rendered(folder: Path) -> Path:
    """Copy the project into a folder and render it without Quarto; return the folder."""
    done = python(
        copy_parts(folder, *PARTS, *PAGES, ".gitignore"), "-m", "reporting.render", "--renderer", "builtin"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without Quarto" in done.stdout + done.stderr
    return folder


def rendered_once(factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which that was done, which all processes of this run of the tests share."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, ready = base / "rendered", base / "rendered-ready"
    with FileLock(base / "rendered.lock"):
        if not ready.exists():
            folder.mkdir()
            rendered(folder)
            ready.touch()
    return folder
