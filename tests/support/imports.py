"""What importing a module imports, read from the text."""

import ast
from functools import cache

from tests.support.copies import ROOT

HEAVY = {"torch", "torchvision", "transformers", "open_clip", "timm", "peft", "scipy"}


def imported_at_once(module: str) -> set[str]:
    """Return what importing `module` imports: first-party modules are followed, functions left aside."""
    return _imported(module, everywhere=False)


def imported(module: str) -> set[str]:
    """Return what `module` can import at any time, imports within functions included."""
    return _imported(module, everywhere=True)


def _imported(module: str, *, everywhere: bool) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        stem = ROOT.joinpath(*name.split("."))
        path = stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")
        if name not in found and path.is_file():
            waiting += targets(path.read_text(), everywhere=everywhere)
        found.add(name)
    return found


@cache
def targets(source: str, *, everywhere: bool = False) -> list[str]:
    """Return every name that an import, within functions only if `everywhere`, could mean a module by."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and (everywhere or node.col_offset == 0):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (everywhere or node.col_offset == 0):
            names += [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names
