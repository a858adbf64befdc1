"""Which files of a user's own a part of the profile reads: their content is part of a result's key.

What finds them is imported when it is needed: most profiles name none, and freshness is asked for often.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.located import located
from experiments.manifest import Files
from experiments.sections.captioner import EncoderDecoderSection
from experiments.sections.images import ImageFolder, TorchvisionImages
from experiments.sections.photos import Flickr30k, PhotoFolder
from experiments.sections.zero_shot import OpenClipTower, ZeroShotSection


@dataclass(frozen=True)
class LocalFiles:
    """Files of a user's own, there or not.

    `named` says which keys of the profile name them, and by which text. `find` returns them, None if they are
    not on this machine, and raises UserError if they cannot be what the profile says.
    """

    named: str
    find: Callable[[], Files | None]


def local_files(section: Any, root: Path) -> LocalFiles | None:
    """Return the files of a user's own that a section names, None if it names none; paths start at `root`."""
    own = None
    match section:
        case ImageFolder():
            own = LocalFiles(f"images.folder ({section.folder})", lambda: _images(section, root))
        case PhotoFolder():
            named = f"photos.folder ({section.folder}) or photos.captions ({section.captions})"
            own = LocalFiles(named, lambda: _photos(section, root))
        case TorchvisionImages(folder=str(folder)):
            own = LocalFiles(f"images.folder ({folder})", lambda: _all_in(located(root, folder)))
        case Flickr30k():
            own = _parquet(section, root)
        case EncoderDecoderSection(local=Path() as folder):
            own = LocalFiles(f"captioner.model ({section.model})", lambda: _all_in(root / folder))
        case ZeroShotSection(tower=OpenClipTower(local=Path() as place)):
            own = LocalFiles("zero_shot.tower", lambda: _all_in(root / place))
    return own


def _images(section: ImageFolder, root: Path) -> Files | None:
    from experiments.datasets import image_folder

    return image_folder.files_of(section, root)


def _photos(section: PhotoFolder, root: Path) -> Files | None:
    """Return the chosen photos and the file with the captions, wherever it lies."""
    from experiments.datasets import photo_folder

    captions = located(root, section.captions)
    if not located(root, section.folder).is_dir() or not captions.is_file():
        return None
    folder, names = photo_folder.files_of(section, root)
    if captions.resolve().is_relative_to(folder.resolve()):
        inside = captions.resolve().relative_to(folder.resolve()).as_posix()
        return Files(folder, tuple(sorted([*names, inside])))
    return Files(folder, tuple(sorted([*names, captions.name])), {captions.name: captions})


def _parquet(section: Flickr30k, root: Path) -> LocalFiles | None:
    from experiments.datasets import flickr30k

    if flickr30k.folder_of(section, root) is None:
        return None
    named = f"photos.repository ({section.repository})"
    return LocalFiles(named, lambda: flickr30k.files_of(section, root))


def _all_in(place: Path) -> Files | None:
    """Return a file alone, or all files in a folder, hidden ones left out."""
    if not place.exists():
        return None
    if place.is_file():
        return Files(place.parent, (place.name,))
    names = (path.relative_to(place) for path in place.rglob("*") if path.is_file())
    visible = (name for name in names if not any(part.startswith(".") for part in name.parts))
    return Files(place, tuple(sorted(name.as_posix() for name in visible)))
