"""The images that a profile's `[images]` section names."""

from collections.abc import Callable
from pathlib import Path

from experiments.config.images import AnyImages, Cifar10Config, GeneratedConfig, ImageFolder
from experiments.datasets.cifar10 import load_cifar10
from experiments.datasets.generated import generate
from experiments.datasets.image_folder import load_image_folder
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.torchvision_images import load_torchvision


def load_images(
    config: AnyImages, root: Path, downloads: Path, ready: Path, say: Callable[[str], None]
) -> ClassifiedImages:
    """Load the classification images, downloading them into `downloads` the first time.

    Paths in `config` start at `root`. What is made of the images once is kept in the folder `ready`, which
    belongs to them alone.

    Raises:
        UserError: if they cannot be had, or are not what the section or the pinned hashes say.
    """
    match config:
        case GeneratedConfig():
            return generate(config)
        case Cifar10Config():
            return load_cifar10(config.source, downloads, say)
        case ImageFolder():
            return load_image_folder(config, root, ready, say)
        case _:
            return load_torchvision(config, root, downloads, ready, say)
