"""The site's folder, replaced whole: a new one is made beside it and swapped in, or the old one stays."""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import UserError

MARK = ".made-by-reporting"
"""The file of a site that says what the render made: a folder that holds anything else is not replaced."""
_BEGINNING, _LOCK, _TARGET, _OLD = "site-", ".rendering", ".target", "old"
"""How the folder of a render begins, and what is in it: held while it goes on, where the site goes, the last
site while it is replaced."""
_ATTEMPTS = 5
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def resolved(target: Path) -> Path:
    """Return where a path leads.

    Raises:
        UserError: if it is a link that leads to itself.
    """
    try:
        return target.resolve()
    except RuntimeError as error:  # of Python before 3.13
        raise UserError(f"{target} is a link that leads to itself: name another folder.") from error


@contextmanager
def replacing(target: Path, root: Path, pages: Sequence[str] = ()) -> Iterator[Path]:
    """Lend an empty folder that becomes the site in `target` when the block ends without an error.

    What is replaced is a site that carries our mark and holds nothing else. Of the project's own folder for
    its site `pages` are the names of the HTML files, by which it is known if Quarto made it. What a render
    that was killed left behind is put right first.

    Raises:
        UserError: if what is there is no such site, or another render is always quicker.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside, cache = target.parent, root / ".cache"
    if beside == root:
        cache.mkdir(exist_ok=True)
        # Git ignores .cache, should we be killed; but it may be a link to another disk.
        beside = cache if cache.stat().st_dev == beside.stat().st_dev else beside
    _put_right(beside)
    _refuse_to_overwrite(target, root, pages)
    with _folder(beside, target) as folder:
        new = folder / "new"
        new.mkdir()
        yield new
        made = sorted(path.name for path in new.iterdir())
        (new / MARK).write_bytes(os.fsencode("\n".join([*made, ""])))
        _swap(new, target)


@contextmanager
def _folder(beside: Path, target: Path) -> Iterator[Path]:
    """Lend a folder that others know to be in use as long as the block, or this process, lasts."""
    made = Path(tempfile.mkdtemp(prefix=f".{_BEGINNING}", dir=beside))
    folder = made.with_name(made.name[1:])
    try:
        (made / _TARGET).write_bytes(os.fsencode(target))
        with FileLock(made / _LOCK):
            made.rename(folder)  # only now do others see it, and it is held
            try:
                yield folder
            finally:
                _end(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_right(beside: Path) -> None:
    """End what renders that were killed began: the last site is back, and their folders are gone."""
    for folder in beside.glob(f"{_BEGINNING}*"):
        if not (folder / _LOCK).is_file():
            continue
        try:
            with FileLock(folder / _LOCK, timeout=0):
                _end(folder)
        except (Timeout, FileNotFoundError):
            continue  # it is under way, or another render was quicker


def _end(folder: Path) -> None:
    """Delete the folder of a render, but for a site that is nowhere else: that goes back."""
    old, recorded = folder / _OLD, folder / _TARGET
    if old.exists() and recorded.is_file():
        target = Path(os.fsdecode(recorded.read_bytes().replace(b"\0", b"")))  # as a power cut may leave it
        if target != Path() and not target.exists():
            old.rename(target)
    shutil.rmtree(folder, ignore_errors=True)


def _refuse_to_overwrite(target: Path, root: Path, pages: Sequence[str]) -> None:
    """Replace nothing but a site: a wrong --output must not cost anyone a folder."""
    try:
        there = {path.name for path in target.iterdir()}
        made = os.fsdecode((target / MARK).read_bytes()).splitlines() if MARK in there else None
    except FileNotFoundError:
        return  # nothing is there, or another render is swapping its site in
    except NotADirectoryError:
        there, made = {target.name}, None
    others = there - {*(made or ()), MARK}
    is_ours = not there or (not there.isdisjoint(pages) if made is None else not others)
    if not is_ours or root.is_relative_to(target):
        besides = f" (it holds {sorted(others)[0]})" if others else ""
        raise UserError(
            f"{target} is not a site made from these pages{besides}, so it is not replaced; remove it first."
        )


def _swap(new: Path, target: Path) -> None:
    """Put the new site in the place of the old one, in one step where the system can."""
    old = new.with_name(_OLD)
    for _ in range(_ATTEMPTS):
        try:
            if not _exchanged(new, target):
                if target.exists():
                    target.rename(old)
                new.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise
            if target.exists():  # another render was as quick as this one
                shutil.rmtree(old, ignore_errors=True)
    raise UserError(f"{target} is being replaced by another render; try again.")


def _exchanged(new: Path, target: Path) -> bool:
    """Exchange two folders at once, and tell whether that was done: there may be none, or no such way."""
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None or not target.exists():
        return False
    return exchange(_HERE, os.fsencode(new), _HERE, os.fsencode(target), _EXCHANGE) == 0
