"""Command `clean`: deleting from `.cache/` what can be made again: all, or what no key leads to any more."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.lending import IMAGES, prepared_folder
from experiments.profile import IN_CACHE
from experiments.project import open_project
from experiments.stages import STAGES
from pipeline import freshness, keys
from pipeline.closure import Code
from pipeline.errors import UserError
from pipeline.reproduce import FOLDER as REPRODUCTION

CACHE, DOWNLOADS, PREPARED, USED = ".cache", "downloads", "prepared", ".used"
FEATURES = ("captioner_features", "embeddings")
"""The folders of kept features beside those of a profile's stages."""
_BEING_WRITTEN = (".", "site-")  # how folders begin that a check or a render is writing just now


@dataclass(frozen=True)
class Cleaned:
    """Lines that say what was deleted and how much, and a phrase for each thing that could not be."""

    lines: tuple[str, ...]
    refused: tuple[str, ...]


def clean(root: Path, *, everything: bool) -> Cleaned:
    """Delete from `.cache/` under `root`, and say what and how much.

    Only what this project made is deleted: the cache may be that of a home folder, where other programs keep
    theirs.

    With `everything` that is all but the downloads. Otherwise it is what no profile's keys of today lead to:
    of scratch folders those of other keys, kept features that no stage used at its key, prepared pictures of
    other data, folders of profiles that are gone, and what was computed again for comparison. Links are
    neither followed nor deleted.

    Raises:
        UserError: if `root` has no profiles, a profile cannot be read, or a stage is running; then nothing is
            deleted.
    """
    if not any((root / "profiles").glob("*.toml")):
        raise UserError(
            f"{root} has no profiles, so its {CACHE} is not this project's, and nothing was deleted: run "
            "this in the project's folder."
        )
    cache, freed, refused = root / CACHE, Counter[Path](), []
    with _nothing_running(root):
        for path in list(_but_downloads(cache, root) if everything else _unaddressed(cache, root)):
            shown = (path.parent if path.is_file() else path).relative_to(root)
            before = _size(path)
            try:
                _delete(path)
            except OSError as error:
                refused.append(f"{error.filename or path} ({error.strerror})")
            gone = before - _size(path)
            if gone or not path.exists():
                freed[shown] += gone
    lines = [f"{_megabytes(size):>12}  {path.as_posix()}" for path, size in freed.items()]
    rest = "Results and downloads stay" + ("." if everything else ", and what today's keys lead to.")
    return Cleaned((*lines, f"Freed {_megabytes(freed.total())}. {rest}"), tuple(refused))


def _but_downloads(cache: Path, root: Path) -> Iterator[Path]:
    """Yield all that this project made but the downloads."""
    own = {*IN_CACHE, "quarto.log", "quarto.lock"} - {DOWNLOADS}
    for entry in _entries(cache):
        if entry.name in own or entry.name.startswith("site-") or _is_of_a_profile(entry, root):
            yield entry


def _is_of_a_profile(folder: Path, root: Path) -> bool:
    """Tell whether a folder is that of a profile, or was that of one that is gone: by what is in it."""
    parts = [entry.name for entry in _entries(folder)]
    known = {*STAGES, *FEATURES}
    return (root / "profiles" / f"{folder.name}.toml").is_file() or (bool(parts) and known.issuperset(parts))


def _unaddressed(cache: Path, root: Path) -> Iterator[Path]:
    """Yield what no key of a profile in ``profiles/`` leads to."""
    used, prepared = _addresses(root)
    for folder in _entries(cache):
        if folder.is_file() or folder.name.startswith(_BEING_WRITTEN):
            continue
        if folder.name == PREPARED:
            yield from (entry for entry in _entries(folder) if entry.name not in prepared)
        elif folder.name in used:
            for part in _entries(folder):
                yield from _unused(part, used[folder.name])
        elif folder.name == REPRODUCTION or (folder.name not in IN_CACHE and _is_of_a_profile(folder, root)):
            yield folder


def _addresses(root: Path) -> tuple[dict[str, set[str]], set[str]]:
    """Return the addresses of each profile's stages, ``<stage>-<key>``, and of all prepared pictures."""
    used, prepared, code = dict[str, set[str]](), set[str](), Code(root)
    for name in sorted(file.stem for file in (root / "profiles").glob("*.toml")):
        try:
            project = open_project(name, root)
            states = freshness.states(project, project.stages, code)
            if unknown := [state.why[0] for state in states.values() if not state.key]:
                raise UserError(unknown[0])
            if project.profile.images is not None:
                images = keys.identity(project, IMAGES, keys.Today(code)).sha256
                prepared.add(prepared_folder(project, images, code).name)
        except UserError as error:
            raise UserError(f"{error} Nothing was deleted, since profile {name} cannot be read.") from error
        used[name] = {f"{stage}-{state.key[:16]}" for stage, state in states.items()}
    return used, prepared


def _unused(part: Path, used: set[str]) -> Iterator[Path]:
    """Yield what lies in a stage's folder at another key, or among features and was used at no such key.

    Beside features, ``<hash>.npy``, an empty file says who used them: ``<hash>.<stage>-<key>.used``.
    """
    entries = list(_entries(part))
    marks = {entry for entry in entries if entry.suffix == USED and entry.name.split(".")[1] in used}
    kept = {mark.name.partition(".")[0] for mark in marks}
    for entry in entries:
        is_scratch = f"{part.name}-{entry.name}" in used
        is_kept = entry in marks or (entry.suffix != USED and entry.name.partition(".")[0] in kept)
        if not is_scratch and not is_kept:
            yield entry


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what lies in a folder, if it is one, but links."""
    if folder.is_dir():
        yield from (entry for entry in sorted(folder.iterdir()) if not entry.is_symlink())


def _delete(path: Path) -> None:
    """Delete a file, or a folder with all that is in it and no link followed."""
    if path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)


def _size(path: Path) -> int:
    """Return the size in bytes of a file, or of all in a folder with no link followed; 0 if it is gone."""
    if path.is_file():
        return path.stat().st_size
    return sum(os.lstat(Path(at, name)).st_size for at, _, names in os.walk(path) for name in names)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


@contextmanager
def _nothing_running(root: Path) -> Iterator[None]:
    """Hold the locks of all stages, so that none runs within the block."""
    reproduced = root / CACHE / REPRODUCTION
    with ExitStack() as held:
        for lock in [*root.glob("results/*/.*.lock"), *reproduced.glob("*/*/*/.*.lock")]:
            try:
                held.enter_context(FileLock(lock, timeout=0))
            except Timeout:
                stage = lock.name.removeprefix(".").removesuffix(".lock")
                raise UserError(f"Stage {stage} is running: wait for it or stop it, then clean.") from None
        yield
