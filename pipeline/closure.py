"""Which first-party code a module reaches by import, and what that code is.

Only the standard library is used, and nothing is imported or run: the source is parsed. A fingerprint
ignores comments, formatting and docstrings, and is the same under every Python from 3.11 on.
"""

import ast
import contextlib
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import UserError
from pipeline.files import sha256_of, write_whole

Read = TypeVar("Read")


@dataclass(frozen=True)
class Code:
    """The first-party code under `root`: each file as it was when it was first asked for.

    What was asked for once is fixed by that: whatever happens on disk, it is answered alike from then on.
    """

    root: Path
    _read: dict[str, tuple[Path, str] | None] = field(default_factory=dict)
    _files: dict[Path, dict[str, str]] = field(default_factory=dict)
    _closures: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def _known(self) -> "Remembered":
        return Remembered(self.root / ".cache" / "analysed")

    def closure(self, module: str) -> dict[str, str]:
        """Return the fingerprint of `module` and of each first-party module that it reaches by import.

        First-party is what lies under `root`, but for this package, which runs stages and determines no
        number. Imports inside functions count; so do the packages that contain a module, since importing it
        runs them, and what a string names: such are given to `import_module`, or to another process. A module
        that asks where it stands (`__file__`, `importlib.resources`) can read what lies beside it: then each
        file in its folder that is no Python counts, by its content. Keys are dotted names, and paths from
        `root` of such files, in alphabetical order.

        Raises:
            UserError: if a file cannot be parsed or read, or `module` is not under `root`.
        """
        if module not in self._closures:
            self._closures[module] = self._closure(module)
            self._known.write()
        return dict(self._closures[module])

    def own(self, module: str) -> str:
        """Return the fingerprint of `module` alone, whatever it reaches; errors are those of `closure`."""
        found = self._analysis(*self._required(module))[0]
        self._known.write()
        return found

    def edited_since(self, moment: int) -> list[str]:
        """Return the modules that were asked for and whose files were written since a moment, in ns.

        What claims to be of the future, as files from an archive can, was not.
        """
        now, there = time.time_ns(), {name: found[0] for name, found in self._read.items() if found}
        return sorted(name for name, path in there.items() if moment < path.stat().st_mtime_ns <= now)

    def _closure(self, module: str) -> dict[str, str]:
        self._required(module)
        found: dict[str, str] = {}
        first_party = {path.stem for path in self.root.iterdir()} - {__package__}
        waiting, seen = [module], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name.partition(".")[0] not in first_party:
                continue
            seen.add(name)
            source = self._source(name)
            if source is None:
                continue
            path, text = source
            found[name], imports, reads_beside = self._analysis(path, text)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            waiting.extend(_candidates(imports, package))
            waiting.extend(_parents(name))
            if reads_beside:
                found |= self._beside(path.parent)
        return dict(sorted(found.items()))

    def _required(self, module: str) -> tuple[Path, str]:
        source = self._source(module)
        if source is None:
            raise UserError(
                f"There is no module {module} under {self.root}: check the stage's function in stages.py."
            )
        return source

    def _analysis(self, path: Path, text: str) -> "Analysis":
        try:
            return self._known.analysis(text)
        except SyntaxError as error:
            raise UserError(
                f"{path}:{error.lineno}: this is not valid Python ({error.msg}); mend it."
            ) from error

    def _source(self, module: str) -> tuple[Path, str] | None:
        """Return where a module stands and its text, None where there is none."""
        if module not in self._read:
            stem = self.root.joinpath(*module.split("."))
            places = (stem / "__init__.py", stem.with_suffix(".py"))
            path = next((path for path in places if path.is_file()), None)
            try:
                text = path and _readable(partial(Path.read_text, encoding="utf-8-sig"), path)
            except UnicodeDecodeError as error:
                raise UserError(f"{path} is not valid Python (it is not in UTF-8); mend it.") from error
            self._read[module] = None if path is None or text is None else (path, text)
        return self._read[module]

    def _beside(self, folder: Path) -> dict[str, str]:
        """Return the SHA-256 of each file in or below a folder that is no Python, by its path."""
        if folder not in self._files:
            # Below the project's own folder lies all that it makes.
            found = folder.iterdir() if folder == self.root else folder.rglob("*")
            files = (path.relative_to(self.root).as_posix() for path in found if path.is_file())
            beside = [name for name in files if not name.endswith(".py") and not _HIDDEN.search(name)]
            self._files[folder] = {name: _readable(sha256_of, self.root / name) for name in beside}
        return self._files[folder]


def closure(module: str, root: Path) -> dict[str, str]:
    """Return the fingerprints of the modules that `module` reaches today, as `Code.closure` does."""
    return Code(root).closure(module)


def _readable(read: Callable[[Path], Read], path: Path) -> Read:
    try:
        return read(path)
    except OSError as error:
        raise UserError(
            f"{path} belongs to the code and cannot be read ({error.strerror}); mend it."
        ) from error


def fingerprint(source: str) -> str:
    """Return the SHA-256 of Python source without its comments, formatting and docstrings."""
    return _analyse(source)[0]


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length])


Import = tuple[int, str, tuple[str, ...]]
"""Level (0 is absolute), module, and the names taken from it (none for ``import module``)."""
Analysis = tuple[str, tuple[Import, ...], bool]
"""The fingerprint of a module, what it imports, and whether it asks where it stands."""


@dataclass
class Remembered:
    """Analyses of sources, kept in a file since to parse is slow.

    They are found by a hash of the source, of this module and of Python's version. The file begins with the
    hash of what follows: of one that is damaged, or cannot be written, nothing is made use of.
    """

    path: Path
    _used: dict[str, Analysis] = field(default_factory=dict)

    def analysis(self, source: str) -> Analysis:
        """Return the analysis of a source.

        Raises:
            SyntaxError: if it is no Python.
        """
        name = hashlib.sha256(f"{_OWN}{source}".encode()).hexdigest()
        if name not in self._used:
            kept = self._kept.get(name)
            self._used[name] = _read(kept) if kept else _analyse(source)
        return self._used[name]

    def write(self) -> None:
        """Keep what was analysed beside what was known."""
        if self._used.keys() <= self._kept.keys():
            return
        self._kept.update(self._used)
        text = json.dumps(self._kept)
        with contextlib.suppress(OSError):
            write_whole(self.path, f"{_sha256(text)}\n{text}".encode())

    @cached_property
    def _kept(self) -> dict[str, Any]:
        try:
            told, _, text = self.path.read_text(encoding="utf-8").partition("\n")
        except (OSError, UnicodeDecodeError):
            return {}
        if told != _sha256(text):
            return {}
        kept = json.loads(text)
        return kept if len(kept) < _MOST_KEPT else {}


def _read(kept: Any) -> Analysis:
    fingerprint, imports, reads_beside = kept
    return fingerprint, tuple((level, module, tuple(names)) for level, module, names in imports), reads_beside


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_MOST_KEPT = 5_000
"""Analyses, above which all are forgotten: most are of code that is no more."""
_OWN = f"{sys.version_info[:2]} {_sha256(Path(__file__).read_text(encoding='utf-8'))}"

_NAME = re.compile(r"(\.*)([^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::\w+)?")
"""A string that may name a module, as `import_module` takes it, or a function of one."""
_HIDDEN = re.compile(r"(^|/)(\.|__pycache__/)")
"""Files that tools leave, such as an editor."""
_ASKING_WHERE = {"__file__", "__path__", "__spec__", "resources", "pkgutil"}


@cache
def _analyse(source: str) -> Analysis:
    tree = _Canonical().visit(ast.parse(source))
    imports: list[Import] = []
    names = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                imports.extend((0, alias.name, ()) for alias in node.names)
            case ast.ImportFrom():
                imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
            case ast.Constant(value=str(words)) if named := _NAME.fullmatch(words):
                imports.append((len(named[1]), named[2], ()))
            case ast.Name(id=name) | ast.Attribute(attr=name):
                names.add(name)
    imported = {step for _, module, taken in imports for step in (*module.split("."), *taken)}
    text = ast.unparse(ast.fix_missing_locations(tree))
    reads_beside = not _ASKING_WHERE.isdisjoint(names | imported)
    return _sha256(text), tuple(imports), reads_beside


@cache
def _candidates(imports: tuple[Import, ...], package: str) -> frozenset[str]:
    """Return every dotted name that could be a module; those without a file are dropped later."""
    found = set[str]()
    for level, module, names in imports:
        base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
        target = ".".join([*base, *([module] if module else [])])
        found |= {target, *_parents(target), *(f"{target}.{name}" for name in names)}
    return frozenset(found)


class _Canonical(ast.NodeTransformer):
    """Drops docstrings and rewrites what `ast.unparse` prints differently between Python versions."""

    def _body(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body = [statement for statement in node.body if not _is_bare_string(statement)] or [ast.Pass()]
        return node

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _body

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Turn an f-string into a call: its quotes are printed differently since Python 3.12."""
        self.generic_visit(node)
        parts: list[ast.expr] = []
        for value in node.values:  # Python 3.12 splits and adds empty literals
            last = parts[-1] if parts else None
            if not isinstance(value, ast.Constant):
                parts.append(value)
            elif isinstance(last, ast.Constant):
                parts[-1] = ast.Constant(value=f"{last.value}{value.value}")
            elif value.value:
                parts.append(value)
        return ast.Call(func=ast.Name(id="f''", ctx=ast.Load()), args=parts, keywords=[])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """Turn ``{value!r:spec}`` into a tuple, for the same reason."""
        self.generic_visit(node)
        spec = node.format_spec or ast.Constant(value=None)
        return ast.Tuple(elts=[node.value, ast.Constant(value=node.conversion), spec], ctx=ast.Load())


def _is_bare_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
