"""Chromium and axe-core for tests of the pages; without them, a sentence says that they were not tried.

In CI, which installs both, that sentence is a failure: `BROWSER_TESTS=required`.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support.copies import ROOT

NPM = ROOT / "tests" / "browser"
"""What is taken from npm, in the versions of its lock file."""

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def not_tried(why: str) -> NoReturn:
    """Skip a test, or fail it where it must run."""
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(f"{why}, and BROWSER_TESTS=required.")
    pytest.skip(f"{why}, so pages were not tried in a browser.")


@contextmanager
def chromium() -> Iterator[Any]:
    """Lend a headless Chromium of this machine; it ends with the block."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        not_tried("Chromium is not on PATH (Debian's package is chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        not_tried("The package playwright is not installed (requirements.txt)")
    # The sandbox needs rights that root in a container has not; all pages are our own.
    options = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


def axe(folder: Path) -> str:
    """Return the script of axe-core, fetched into a folder."""
    npm = shutil.which("npm")
    if npm is None:
        not_tried("npm is not on PATH, by which axe-core comes")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(NPM / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        not_tried(f"npm could not fetch axe-core ({(done.stderr.strip().splitlines() or ['no word'])[-1]})")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
