"""The captioned photos that a profile's `[photos]` section names."""

from collections.abc import Callable
from pathlib import Path

from experiments.config.photos import AnyPhotos, Cifar10Captions, Flickr30k, GeneratedPhotos, PhotoFolder
from experiments.datasets.cifar10_captions import load_cifar10_captions
from experiments.datasets.flickr30k import load_flickr30k
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.photo_folder import load_photo_folder
from experiments.datasets.photos import CaptionedPhotos


def load_photos(
    config: AnyPhotos,
    root: Path,
    downloads: Path,
    say: Callable[[str], None],
) -> CaptionedPhotos:
    """Load the captioned photos, downloading what they need into `downloads` the first time.

    Paths in `config` start at `root`. `say` is called with a line of text before a download begins.

    Raises:
        UserError: if they cannot be had, or are not what the section asks for.
    """
    match config:
        case Cifar10Captions():
            return load_cifar10_captions(config, root, downloads, say)
        case Flickr30k():
            return load_flickr30k(config, root, say)
        case PhotoFolder():
            return load_photo_folder(config, root)
        case GeneratedPhotos():
            return generate_photos(config)
