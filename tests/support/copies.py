"""Copies of the project, or of parts of it, in folders of their own."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "report.qmd", "appendix.qmd", "_appendix.qmd", "captions.qmd", "provenance.qmd", "_quarto.yml",
    "references.bib",
)  # fmt: skip


def copy_parts(folder: Path, *parts: str) -> Path:
    """Copy folders and files of the project, without what can be made again, into `folder`; return that."""
    for part in parts:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "smoke"))
        else:
            shutil.copy(ROOT / part, folder)
    return folder
