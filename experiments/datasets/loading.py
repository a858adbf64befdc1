"""The images and the captioned photos that a profile's `[images]` and `[photos]` name.

A loader is imported when it is called, and its name is told elsewhere: the code of those of other kinds of
data is then no part of a key.
"""

import importlib
import inspect
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config.images import AnyImages, TorchvisionImages
from experiments.config.photos import AnyPhotos
from experiments.datasets.loaders import loader

if TYPE_CHECKING:
    from experiments.datasets.images import ClassifiedImages
    from experiments.datasets.photos import CaptionedPhotos


def fetch_images(config: AnyImages, root: Path, downloads: Path, say: Callable[[str], None]) -> None:
    """Download images that no pinned hash tells; arguments are those of `load_images`.

    Raises:
        UserError: if they cannot be had.
    """
    if isinstance(config, TorchvisionImages):
        from experiments.datasets.torchvision_images import fetch

        fetch(config, root, downloads, say)


def load_images(
    config: AnyImages, root: Path, downloads: Path, ready: Path, say: Callable[[str], None]
) -> "ClassifiedImages":
    """Load the classification images, downloading them into `downloads` the first time.

    Paths in `config` start at `root`. What is made of the images once is kept in the folder `ready`, which
    belongs to them alone. `say` is called with a line of text before a download begins.

    Raises:
        UserError: if they cannot be had, or are not what `config` or the pinned hashes say.
    """
    return _load(config, root=root, downloads=downloads, ready=ready, say=say)


def load_photos(
    config: AnyPhotos,
    root: Path,
    downloads: Path,
    say: Callable[[str], None],
    recorded: Collection[str] = (),
) -> "CaptionedPhotos":
    """Load the captioned photos; arguments and errors are those of `load_images`.

    Of a folder, files whose names were `recorded` when results were made of them must be there.
    """
    return _load(config, root=root, downloads=downloads, say=say, recorded=recorded)


def _load(config: Any, **lent: Any) -> Any:
    module, _, name = loader(config).partition(":")
    function = getattr(importlib.import_module(module), name)
    return function(config, **{each: lent[each] for each in [*inspect.signature(function).parameters][1:]})
