"""Captioned photos of the user's own: a folder with pictures and a file with their captions."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from experiments.datasets.listing import listing
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.datasets.pictures import decode, digest
from experiments.datasets.problems import refuse
from experiments.results.source import Source

Progress = Callable[[int, int], None]
"""Called with the number of photos decoded and their total."""
Draw = tuple[list[CaptionedFile], list[CaptionedFile]]
"""The photos for tuning, and those for evaluation."""
_SPLITS = ({"train", "restval"}, {"test"})
"""What files of captions call the parts to learn from and to test on, as Karpathy's do."""


def _silent(done: int, total: int) -> None: ...


def load_photo_folder(
    config: PhotoFolder, root: Path, say: Callable[[str], None], recorded: Collection[str] = ()
) -> CaptionedPhotos:
    """Draw the photos that `config` asks for; each is decoded once as a test, and again when it is used.

    They are drawn from what has both captions and a photo; `say` is called with a sentence on what has not.
    Photos whose names were `recorded` when results were made of them count as there.

    Raises:
        UserError: if the folder or the file with the captions cannot be used, or a photo that is drawn
            is missing or cannot be decoded.
    """
    files = _captioned(config, root)
    folder = resolve_path(root, config.folder)
    refuse(_no_folder(folder))
    places = places_of(files, folder, recorded)
    tuning, evaluation = _draw(files, places, config)
    drawn = [*tuning, *evaluation]
    lost = [file.name for file in drawn if not _is_file(folder / places[file.name])]
    refuse(
        [*_misspelt(files, places, folder, config), *_lost(lost, config), *_too_few(files, places, config)]
    )
    for sentence in _without_photo(files, places, config):
        say(sentence)
    _, damaged = _digests(drawn, places, folder, config, _silent)
    refuse(damaged)
    index = {file.name: position for position, file in enumerate(files)}

    def photo(file: CaptionedFile, captions: int | None) -> Photo:
        return Photo(file.name, index[file.name], folder / places[file.name], file.captions[:captions], None)

    captions_name = resolve_path(root, config.captions).name
    return CaptionedPhotos(
        source=(Source(name=f"photos of the folder {folder.name}, captions from {captions_name}"),),
        classes=(),
        tuning=tuple(photo(file, 1) for file in tuning),
        evaluation=tuple(photo(file, None) for file in evaluation),
    )


def read_of(config: PhotoFolder, root: Path, recorded: Collection[str] = ()) -> tuple[list[str], str]:
    """Return the files of all photos that are drawn, sorted, and a hash of what is read of the captions.

    Photos whose files were `recorded` need not be there.

    Raises:
        UserError: if the file with the captions cannot be used, or too few photos have captions.
    """
    files = _captioned(config, root)
    folder = resolve_path(root, config.folder)
    places = places_of(files, folder, recorded)
    refuse([*_misspelt(files, places, folder, config), *_too_few(files, places, config)])
    tuning, evaluation = _draw(files, places, config)
    return sorted(places[file.name] for file in [*tuning, *evaluation]), captions_sha256(files)


def problems(
    config: PhotoFolder, root: Path, progress: Progress = _silent, recorded: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """Find all that is wrong with the photos and their captions, decoding each photo that has captions.

    Return a sentence for each problem, which must be put right, and for each remark, such as that captions
    have no photo.

    Raises:
        UserError: if a path cannot be told.
    """
    files, found = examine_captions(resolve_path(root, config.captions), config.captions)
    files.sort(key=lambda file: file.name)
    found += _same_captions(files, config)
    folder = resolve_path(root, config.folder)
    if not folder.is_dir():
        return [*found, *_no_folder(folder)], []
    places = places_of(files, folder, recorded)
    tuning, evaluation = _draw(files, places, config)
    present = [file for file in files if file.name in places and _is_file(folder / places[file.name])]
    drawn = {file.name for file in [*tuning, *evaluation]}
    found += _misspelt(files, places, folder, config)
    found += _lost(sorted(drawn - {file.name for file in present}), config)
    found += _too_few(files, places, config)
    digests, damaged = _digests(present, places, folder, config, progress)
    found += damaged
    found += _shared(tuning, evaluation, digests, config)
    return found, [*_without_photo(files, places, config), *_without_captions(places, folder, config)]


def unmatched(config: PhotoFolder, root: Path) -> list[str]:
    """Return a sentence for photos that only the captions name, and one for those without captions."""
    files, _ = examine_captions(resolve_path(root, config.captions), config.captions)
    folder = resolve_path(root, config.folder)
    places = places_of(files, folder)
    return [*_without_photo(files, places, config), *_without_captions(places, folder, config)]


def places_of(files: Sequence[CaptionedFile], folder: Path, recorded: Collection[str] = ()) -> dict[str, str]:
    """Return where in the folder, or among what was `recorded`, each photo lies that has captions.

    That is under its name; or else in another folder inside, or with an ending that its name lacks, if one
    file alone can be meant, by one name alone.
    """
    places = {file.name: file.name for file in files if file.name in recorded or _is_file(folder / file.name)}
    others = [file.name for file in files if file.name not in places]
    if not others:
        return places
    alike: dict[str, list[str]] = defaultdict(list)
    for picture in {*_pictures_in(folder), *recorded} - {*places.values()}:
        path = PurePosixPath(picture)
        alike[path.name].append(picture)
        alike[path.stem].append(picture)
    found = {name: alike.get(PureWindowsPath(name).name, []) for name in others}
    wanted = Counter(picture for pictures in found.values() for picture in pictures)
    return places | {
        name: pictures[0]
        for name, pictures in found.items()
        if len(pictures) == 1 and wanted[pictures[0]] == 1
    }


def _is_file(path: Path) -> bool:
    """Tell whether a file is there; none can be of a name that is too long for the system."""
    try:
        return path.is_file()
    except OSError:
        return False


def _captioned(config: PhotoFolder, root: Path) -> list[CaptionedFile]:
    """Return the photos with captions, in the order of their names."""
    return sorted(
        read_captions(resolve_path(root, config.captions), config.captions), key=lambda file: file.name
    )


def _draw(files: Sequence[CaptionedFile], places: Mapping[str, str], config: PhotoFolder) -> Draw:
    """Draw from photos that are there, in the order of their names; there are fewer where there are too few.

    Where the captions tell splits, the photos of training are for tuning, those of testing for evaluation.
    """
    order = np.random.default_rng(config.seed).permutation(len(files))
    there = [files[position] for position in order if files[position].name in places]
    if not any(file.split for file in files):
        drawn = there[: config.tuning + config.evaluation]
        return drawn[: config.tuning], drawn[config.tuning :]
    tuning, evaluation = ([file for file in there if file.split in splits] for splits in _SPLITS)
    return tuning[: config.tuning], evaluation[: config.evaluation]


def _no_folder(folder: Path) -> list[str]:
    if folder.is_dir():
        return []
    return [f"There is no folder {folder}, which photos.folder names: place it there or mend the path."]


def _too_few(files: Sequence[CaptionedFile], places: Mapping[str, str], config: PhotoFolder) -> list[str]:
    wanted = config.tuning + config.evaluation
    tuning, evaluation = _draw(files, places, config)
    if not files or len(tuning) + len(evaluation) == wanted:
        return []
    asked = f"photos.tuning + photos.evaluation ask for {wanted}: lower one of them or"
    if any(file.split for file in files):
        return [
            f"{config.captions} and {config.folder} have {len(tuning)} photos of training to tune on and "
            f"{len(evaluation)} of testing to compare on, but {asked} place more photos there, or take the "
            "splits out of the captions."
        ]
    if len(files) < wanted:
        return [f"{config.captions} has captions of {len(files)} photos, but {asked} write more captions."]
    return [
        f"{config.folder} has {len(places)} of the {len(files)} photos that {config.captions} names, but "
        f"{asked} place more photos there."
    ]


def _same_captions(files: Sequence[CaptionedFile], config: PhotoFolder) -> list[str]:
    captions = {caption for file in files for caption in file.captions}
    if len(files) < 2 or len(captions) > 1:
        return []
    return [
        f"{config.captions} has the same caption {captions.pop()!r} for every photo: write what tells them "
        "apart."
    ]


def _lost(names: Iterable[str], config: PhotoFolder) -> list[str]:
    """Name photos that results were made of and that are gone: a run without them would be another."""
    return [
        f"{config.folder} has no {name!r}, which {config.captions} names: place the file there or remove its "
        f"lines from {config.captions}."
        for name in names
    ]


def _misspelt(
    files: Sequence[CaptionedFile], places: Mapping[str, str], folder: Path, config: PhotoFolder
) -> list[str]:
    """Name photos that are not there, but whose name differs from one file's in case or accents' encoding."""
    missing = [file.name for file in files if file.name not in places]
    alike: dict[str, list[str]] = defaultdict(list)
    for name in _pictures_in(folder) if missing else ():
        alike[_last_part(name)].append(name)
    return [
        f"{config.folder} has no {name!r}, which {config.captions} names, but has "
        f"{alike[_last_part(name)][0]!r}: make the two the same."
        for name in missing
        if len(alike[_last_part(name)]) == 1 and alike[_last_part(name)][0] not in places.values()
    ]


def _pictures_in(folder: Path) -> Sequence[str]:
    return listing(folder).pictures if folder.is_dir() else ()


def _last_part(name: str) -> str:
    """Return a name without its folders, in one case and with each accent as part of its letter."""
    return unicodedata.normalize("NFC", PureWindowsPath(name).name).casefold()


def _digests(
    files: Sequence[CaptionedFile],
    places: Mapping[str, str],
    folder: Path,
    config: PhotoFolder,
    progress: Progress,
) -> tuple[dict[str, str], list[str]]:
    """Decode photos one by one; return the hashes of their pixels and a sentence for each that fails."""
    digests, damaged = {}, []
    for done, file in enumerate(files, start=1):
        try:
            digests[file.name] = digest(decode(folder / places[file.name]))
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


def _without_photo(
    files: Sequence[CaptionedFile], places: Mapping[str, str], config: PhotoFolder
) -> list[str]:
    names = [file.name for file in files if file.name not in places]
    return _number_of(
        f"photos that {config.captions} names and {config.folder} lacks, none of them drawn", names
    )


def _without_captions(places: Mapping[str, str], folder: Path, config: PhotoFolder) -> list[str]:
    names = sorted({*_pictures_in(folder)} - {*places.values()})
    return _number_of(f"pictures in {config.folder} without captions, which are not used", names)


def _number_of(what: str, names: Sequence[str]) -> list[str]:
    return [f"Number of {what}: {len(names):,}, such as {names[0]!r}."] if names else []
