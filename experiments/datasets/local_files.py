"""Which files of a user's own a part of the profile reads: their content is part of a result's key.

What finds them is imported when it is needed: most profiles name none, and freshness is asked for often.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.fields import resolve_path
from experiments.config.images import ImageFolder, TorchvisionImages
from experiments.config.photos import Flickr30k, PhotoFolder
from experiments.config.zero_shot import OpenClipTower, ZeroShotConfig
from pipeline.manifest import Files


@dataclass(frozen=True)
class LocalFiles:
    """Files of a user's own, there or not.

    `named` says which keys of the profile name them, and by which text. `find` returns them, None if they are
    not on this machine, and raises UserError if they cannot be what the profile says.
    """

    named: str
    find: Callable[[], Files | None]


def local_files(config: Any, root: Path) -> LocalFiles | None:
    """Return the files of a user's own that a section names, None if it names none; paths start at `root`."""
    own = None
    match config:
        case ImageFolder():
            own = LocalFiles(f"images.folder ({config.folder})", lambda: _images(config, root))
        case PhotoFolder():
            named = f"photos.folder ({config.folder}) or photos.captions ({config.captions})"
            own = LocalFiles(named, lambda: _photos(config, root))
        case TorchvisionImages(folder=str(folder)):
            own = LocalFiles(f"images.folder ({folder})", lambda: _all_in(resolve_path(root, folder)))
        case Flickr30k():
            own = _parquet(config, root)
        case EncoderDecoderConfig(local=Path() as folder):
            own = LocalFiles(f"captioner.model ({config.model})", lambda: _all_in(root / folder))
        case ZeroShotConfig(tower=OpenClipTower(local=Path() as place)):
            own = LocalFiles("zero_shot.tower", lambda: _all_in(root / place))
    return own


def _images(config: ImageFolder, root: Path) -> Files | None:
    from experiments.datasets import image_folder

    return _files(image_folder.files_of(config, root))


def _photos(config: PhotoFolder, root: Path) -> Files | None:
    """Return the chosen photos and the file with the captions, wherever it lies."""
    from experiments.datasets import photo_folder

    captions = resolve_path(root, config.captions)
    if not resolve_path(root, config.folder).is_dir() or not captions.is_file():
        return None
    folder, names = photo_folder.files_of(config, root)
    if captions.resolve().is_relative_to(folder.resolve()):
        inside = captions.resolve().relative_to(folder.resolve()).as_posix()
        return Files(folder, tuple(sorted([*names, inside])))
    return Files(folder, tuple(sorted([*names, captions.name])), {captions.name: captions})


def _parquet(config: Flickr30k, root: Path) -> LocalFiles | None:
    from experiments.datasets import flickr30k

    if flickr30k.folder_of(config, root) is None:
        return None
    named = f"photos.repository ({config.repository})"
    return LocalFiles(named, lambda: _files(flickr30k.files_of(config, root)))


def _all_in(place: Path) -> Files | None:
    """Return a file alone, or all files in a folder, hidden ones left out."""
    if not place.exists():
        return None
    if place.is_file():
        return Files(place.parent, (place.name,))
    names = (path.relative_to(place) for path in place.rglob("*") if path.is_file())
    visible = (name for name in names if not any(part.startswith(".") for part in name.parts))
    return Files(place, tuple(sorted(name.as_posix() for name in visible)))


def _files(found: tuple[Path, list[str]] | None) -> Files | None:
    return found and Files(found[0], tuple(found[1]))
