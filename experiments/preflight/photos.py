"""What there is to say of the captioned photos."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.photos import AnyPhotos, Cifar10Captions, PhotoFolder
from experiments.datasets import cifar10, photo_folder
from experiments.datasets.captions_file import examine_captions
from experiments.datasets.cifar10_files import captions_file
from experiments.datasets.loading import load_photos
from experiments.datasets.photos import CaptionedPhotos, Photo
from experiments.datasets.pictures import digest
from experiments.preflight.findings import Findings, counted
from experiments.preflight.read_images import Progress
from experiments.results.source import named
from pipeline.errors import first_few


def read_photos(
    config: AnyPhotos, root: Path, downloads: Path, progress: Progress, recorded: Collection[str] = ()
) -> tuple[Findings, CaptionedPhotos | None]:
    """Read all captions and photos, and return what was found, and the photos if they can be loaded.

    Paths in `config` start at `root`. `recorded` is as for `load_photos`.

    Raises:
        UserError: if photos that are not in a folder of the user's own cannot be had or used.
    """
    if isinstance(config, PhotoFolder):
        return _folder(config, root, progress, recorded)
    if isinstance(config, Cifar10Captions) and not cifar10.is_at_hand(downloads):
        captions_file(config, root)
        remark = "CIFAR-10 is not on this machine yet, so that its captions were not held against its photos."
        return Findings(remarks=(remark,)), None
    photos = load_photos(config, root, downloads, lambda line: None)
    return findings_of_photos(photos), photos


def findings_of_photos(photos: CaptionedPhotos) -> Findings:
    """Judge photos that could be loaded: none for tuning may be, pixel for pixel, one for evaluation."""
    tuning, evaluation = _by_digest(photos.tuning), _by_digest(photos.evaluation)
    problems = [
        f"{named(photos.source)}: {names[0]!r} (for tuning) and {evaluation[key][0]!r} (for evaluation) are "
        "the same picture, so that the comparison would flatter: leave one out."
        for key, names in tuning.items()
        if key in evaluation
    ]
    repeated = [names[-1] for part in (tuning, evaluation) for names in part.values() if len(names) > 1]
    twice = f"Photos that are there twice in their part: {first_few(repeated, 3, ', ')}."
    captions = sum(len(photo.references) for photo in photos.evaluation)
    return Findings(
        read=(
            f"{named(photos.source)}: {counted(len(photos.tuning), 'photo')} to tune on and "
            f"{counted(len(photos.evaluation), 'photo')} with {counted(captions, 'caption')} to compare on.",
        ),
        remarks=(twice,) if repeated else (),
        problems=tuple(problems),
    )


def _folder(
    config: PhotoFolder, root: Path, progress: Progress, recorded: Collection[str]
) -> tuple[Findings, CaptionedPhotos | None]:
    problems, remarks = photo_folder.problems(config, root, progress, recorded)
    files, _ = examine_captions(resolve_path(root, config.captions), config.captions)
    captions = sum(len(file.captions) for file in files)
    read = (
        f"The folder {config.folder}: {counted(len(files), 'photo')} with {counted(captions, 'caption')} in "
        f"{config.captions}, of which {config.tuning:,} are drawn to tune on and {config.evaluation:,} to "
        "compare on."
    )
    photos = None if problems else photo_folder.load_photo_folder(config, root, lambda line: None, recorded)
    repeated = findings_of_photos(photos).remarks if photos else ()
    return Findings((read,) if files else (), (*remarks, *repeated), tuple(problems)), photos


def _by_digest(photos: Sequence[Photo]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    for photo in photos:
        names[digest(photo.pixels)].append(photo.name)
    return names
