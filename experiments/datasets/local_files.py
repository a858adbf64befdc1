"""Which files of a user's own a part of the profile reads: their content is part of a result's key.

What finds them is imported when it is needed: most profiles name none, and freshness is asked for often.
"""

from pathlib import Path
from typing import Any

from experiments.errors import UserError
from experiments.located import located
from experiments.manifest import Files
from experiments.sections.captioner import EncoderDecoderSection
from experiments.sections.images import ImageFolder, TorchvisionImages
from experiments.sections.photos import Flickr30k, PhotoFolder
from experiments.sections.zero_shot import OpenClipTower, ZeroShotSection


def has_local_files(section: Any, root: Path) -> bool:
    """Tell whether a section names files of a user's own, whether or not they are on this machine."""
    match section:
        case ImageFolder() | PhotoFolder():
            return True
        case TorchvisionImages():
            return section.folder is not None
        case EncoderDecoderSection():
            return section.local is not None
        case ZeroShotSection(tower=OpenClipTower() as tower):
            return tower.local is not None
        case Flickr30k():
            from experiments.datasets import flickr30k

            return flickr30k.folder_of(section, root) is not None
    return False


def local_files(section: Any, root: Path) -> Files | None:
    """Return the files that a section names if `has_local_files`, None if they are not on this machine.

    Raises:
        UserError: if they are there, but cannot be what the section says.
    """
    match section:
        case ImageFolder():
            from experiments.datasets import image_folder

            return image_folder.files_of(section, root)
        case PhotoFolder():
            return _photos(section, root)
        case TorchvisionImages():
            return _all_in(located(root, section.folder or ""))
        case EncoderDecoderSection():
            return _all_in(section.local)
        case ZeroShotSection(tower=OpenClipTower() as tower):
            return _all_in(tower.local)
        case Flickr30k():
            from experiments.datasets import flickr30k

            return flickr30k.files_of(section, root)
    raise ValueError(f"{type(section).__name__} names no files of a user's own")


def absent(section: Any, root: Path) -> UserError:
    """Return what to say where a section's files are neither on this machine nor recorded."""
    return UserError(
        f"What the profile names as {_key(section)} is not on this machine: place it there, or mend the "
        "profile."
    )


def _key(section: Any) -> str:
    match section:
        case ImageFolder() | TorchvisionImages():
            return f"images.folder ({section.folder})"
        case PhotoFolder():
            return f"photos.folder ({section.folder}) or photos.captions ({section.captions})"
        case Flickr30k():
            return f"photos.repository ({section.repository})"
        case EncoderDecoderSection():
            return f"captioner.model ({section.model})"
    return "zero_shot.tower"


def _photos(section: PhotoFolder, root: Path) -> Files | None:
    """Return the chosen photos and the file with the captions, wherever it lies."""
    from experiments.datasets import photo_folder

    captions = located(root, section.captions)
    if not located(root, section.folder).is_dir() or not captions.is_file():
        return None
    folder, names = photo_folder.files_of(section, root)
    if captions.resolve().is_relative_to(folder.resolve()):
        return Files(
            folder, tuple(sorted([*names, captions.resolve().relative_to(folder.resolve()).as_posix()]))
        )
    return Files(folder, tuple(sorted([*names, captions.name])), {captions.name: captions})


def _all_in(place: Path | None) -> Files | None:
    """Return a file alone, or all files in a folder, hidden ones left out."""
    if place is None or not place.exists():
        return None
    if place.is_file():
        return Files(place.parent, (place.name,))
    names = (path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    return Files(
        place, tuple(sorted(name for name in names if not name.startswith(".") and "/." not in name))
    )
