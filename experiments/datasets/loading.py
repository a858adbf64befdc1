"""The images and the captioned photos that a profile's `[images]` and `[photos]` name."""

from collections.abc import Callable
from pathlib import Path

from experiments.config.images import AnyImages, Cifar10Config, GeneratedConfig, ImageFolder
from experiments.config.photos import AnyPhotos, Cifar10Captions, Flickr30k, GeneratedPhotos
from experiments.datasets.cifar10 import load_cifar10
from experiments.datasets.cifar10_captions import load_cifar10_captions
from experiments.datasets.flickr30k import load_flickr30k
from experiments.datasets.generated import generate
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.image_folder import load_image_folder
from experiments.datasets.images import ClassifiedImages, keep_for_validation
from experiments.datasets.photo_folder import load_photo_folder
from experiments.datasets.photos import CaptionedPhotos
from experiments.datasets.torchvision_images import load_torchvision


def load_images(
    config: AnyImages, root: Path, downloads: Path, ready: Path, say: Callable[[str], None]
) -> ClassifiedImages:
    """Load the classification images, downloading them into `downloads` the first time.

    Paths in `config` start at `root`. What is made of the images once is kept in the folder `ready`, which
    belongs to them alone. `say` is called with a line of text before a download begins.

    Raises:
        UserError: if they cannot be had, or are not what `config` or the pinned hashes say.
    """
    match config:
        case GeneratedConfig():
            return generate(config)
        case Cifar10Config():
            images = load_cifar10(config.source, downloads, say)
            return keep_for_validation(images, config.validation, config.validation_seed)
        case ImageFolder():
            return load_image_folder(config, root, ready, say)
        case _:
            return load_torchvision(config, root, downloads, ready, say)


def load_photos(
    config: AnyPhotos, root: Path, downloads: Path, say: Callable[[str], None]
) -> CaptionedPhotos:
    """Load the captioned photos; arguments and errors are those of `load_images`."""
    match config:
        case GeneratedPhotos():
            return generate_photos(config)
        case Cifar10Captions():
            return load_cifar10_captions(config, root, downloads, say)
        case Flickr30k():
            return load_flickr30k(config, root, say)
        case _:
            return load_photo_folder(config, root)
