"""Captioned photos of the user's own: a folder with pictures and a file with their captions."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from experiments.config.fields import resolve_path
from experiments.config.photos import PhotoFolder
from experiments.datasets.captions_file import (
    CaptionedFile,
    captions_sha256,
    examine_captions,
    read_captions,
)
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.datasets.pictures import decode, digest, is_picture
from experiments.datasets.problems import refuse
from experiments.results.source import Source

Progress = Callable[[int, int], None]
"""Called with the number of photos decoded and their total."""
Draw = tuple[list[CaptionedFile], list[CaptionedFile]]
"""The photos for tuning, and those for evaluation."""


def _silent(done: int, total: int) -> None: ...


def load_photo_folder(config: PhotoFolder, root: Path) -> CaptionedPhotos:
    """Draw the photos that `config` asks for; each is decoded once as a test, and again when it is used.

    Raises:
        UserError: if the folder or the file with the captions cannot be used, or a photo that is drawn
            is missing or cannot be decoded.
    """
    files = _captioned(config, root)
    folder = resolve_path(root, config.folder)
    refuse(_no_folder(folder))
    tuning, evaluation = _draw(files, config)
    refuse(_missing([file.name for file in [*tuning, *evaluation]], folder, config))
    _, damaged = _digests([*tuning, *evaluation], folder, config, _silent)
    refuse(damaged)
    index = {file.name: position for position, file in enumerate(files)}

    def photo(file: CaptionedFile, captions: int | None) -> Photo:
        return Photo(file.name, index[file.name], folder / file.name, file.captions[:captions], None)

    captions_name = resolve_path(root, config.captions).name
    return CaptionedPhotos(
        source=(Source(name=f"photos of the folder {folder.name}, captions from {captions_name}"),),
        classes=(),
        tuning=tuple(photo(file, 1) for file in tuning),
        evaluation=tuple(photo(file, None) for file in evaluation),
    )


def read_of(config: PhotoFolder, root: Path) -> tuple[list[str], str]:
    """Return the names of all photos that are drawn, sorted, and a hash of what is read of the captions.

    The photos need not be there.

    Raises:
        UserError: if the file with the captions cannot be used or names too few photos.
    """
    files = _captioned(config, root)
    tuning, evaluation = _draw(files, config)
    return sorted(file.name for file in [*tuning, *evaluation]), captions_sha256(files)


def refuse_absent(names: Sequence[str], config: PhotoFolder, root: Path) -> None:
    """Refuse photos that are not in the folder.

    Raises:
        UserError: if there is one; its text names the file that might be meant.
    """
    folder = resolve_path(root, config.folder)
    refuse(_no_folder(folder) or _missing(names, folder, config))


def problems(config: PhotoFolder, root: Path, progress: Progress = _silent) -> tuple[list[str], list[str]]:
    """Find all that is wrong with the photos and their captions, decoding each photo that has captions.

    Return a sentence for each problem, which must be put right, and for each remark, such as that a photo is
    missing which the draw leaves out.

    Raises:
        UserError: if a path cannot be told.
    """
    files, found = examine_captions(resolve_path(root, config.captions), config.captions)
    files.sort(key=lambda file: file.name)
    found += [*_too_few(files, config), *_same_captions(files, config)]
    folder = resolve_path(root, config.folder)
    if not folder.is_dir():
        return [*found, *_no_folder(folder)], []
    tuning, evaluation = _draw(files, config)
    found += _missing([file.name for file in [*tuning, *evaluation]], folder, config)
    present = [file for file in files if (folder / file.name).is_file()]
    digests, damaged = _digests(present, folder, config, progress)
    found += damaged
    found += _shared(tuning, evaluation, digests, config)
    return found, _remarks(files, [*tuning, *evaluation], folder, config)


def _captioned(config: PhotoFolder, root: Path) -> list[CaptionedFile]:
    """Return the photos with captions, enough of them, in the order of their names."""
    files = sorted(
        read_captions(resolve_path(root, config.captions), config.captions), key=lambda file: file.name
    )
    refuse(_too_few(files, config))
    return files


def _draw(files: Sequence[CaptionedFile], config: PhotoFolder) -> Draw:
    """Draw from photos in the order of their names; there are fewer where there are too few."""
    order = np.random.default_rng(config.seed).permutation(len(files))
    drawn = [files[position] for position in order[: config.tuning + config.evaluation]]
    return drawn[: config.tuning], drawn[config.tuning :]


def _no_folder(folder: Path) -> list[str]:
    if folder.is_dir():
        return []
    return [f"There is no folder {folder}, which photos.folder names: place it there or mend the path."]


def _too_few(files: Sequence[CaptionedFile], config: PhotoFolder) -> list[str]:
    wanted = config.tuning + config.evaluation
    if not files or len(files) >= wanted:
        return []
    return [
        f"{config.captions} has captions of {len(files)} photos, but photos.tuning + photos.evaluation ask "
        f"for {wanted}: lower one of them or write more captions."
    ]


def _same_captions(files: Sequence[CaptionedFile], config: PhotoFolder) -> list[str]:
    captions = {caption for file in files for caption in file.captions}
    if len(files) < 2 or len(captions) > 1:
        return []
    return [
        f"{config.captions} has the same caption {captions.pop()!r} for every photo: write what tells them "
        "apart."
    ]


def _missing(names: Iterable[str], folder: Path, config: PhotoFolder) -> list[str]:
    """Return a sentence for each file that is not there, with the one file that might be meant.

    That is the one, in the folder or in one inside it, whose name differs only in its case, its accents'
    encoding or its folder.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    alike: dict[str, list[str]] = defaultdict(list)
    for name in _names_in(folder) if missing else ():
        alike[_last_part(name)].append(name)
    return [
        f"{config.folder} has no {name!r}, which {config.captions} names"
        + (
            f", but has {alike[_last_part(name)][0]!r}: make the two the same."
            if len(alike[_last_part(name)]) == 1
            else f": place the file there or remove its lines from {config.captions}."
        )
        for name in missing
    ]


def _names_in(folder: Path) -> list[str]:
    """Return the names of all files in a folder, sorted; those in folders inside it begin with their path."""
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _last_part(name: str) -> str:
    """Return a name without its folders, in one case and with each accent as part of its letter."""
    return unicodedata.normalize("NFC", PureWindowsPath(name).name).casefold()


def _digests(
    files: Sequence[CaptionedFile], folder: Path, config: PhotoFolder, progress: Progress
) -> tuple[dict[str, str], list[str]]:
    """Decode photos one by one; return the hashes of their pixels and a sentence for each that fails."""
    digests, damaged = {}, []
    for done, file in enumerate(files, start=1):
        try:
            digests[file.name] = digest(decode(folder / file.name))
        except ValueError as error:
            damaged.append(
                f"The photo {file.name!r} in {config.folder} is of no use, since {error}: place it anew or "
                f"remove its captions from {config.captions}."
            )
        progress(done, len(files))
    return digests, damaged


def _shared(
    tuning: Sequence[CaptionedFile],
    evaluation: Sequence[CaptionedFile],
    digests: dict[str, str],
    config: PhotoFolder,
) -> list[str]:
    """Name the photos for evaluation that are, pixel for pixel, one for tuning."""
    known = {digests[file.name]: file.name for file in tuning if file.name in digests}
    return [
        f"{known[digests[file.name]]!r} (for tuning) and {file.name!r} (for evaluation) are the same "
        f"picture: remove the captions of one from {config.captions}."
        for file in evaluation
        if digests.get(file.name) in known
    ]


def _remarks(
    files: Sequence[CaptionedFile], drawn: Sequence[CaptionedFile], folder: Path, config: PhotoFolder
) -> list[str]:
    captioned = {file.name for file in files}
    others = sorted(captioned - {file.name for file in drawn})
    absent = [name for name in others if not (folder / name).is_file()]
    extra = [name for name in _names_in(folder) if name not in captioned and is_picture(PurePosixPath(name))]
    found = {
        f"photos that {config.captions} names and {config.folder} lacks, none of them drawn": absent,
        f"pictures in {config.folder} without captions, which are not used": extra,
    }
    return [
        f"Number of {what}: {len(names)}, such as {names[0]!r}." for what, names in found.items() if names
    ]
