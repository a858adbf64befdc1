"""Which function loads each kind of images and of captioned photos that a profile can name."""

from experiments.config.images import (
    AnyImages,
    Cifar10Config,
    GeneratedConfig,
    ImageFolder,
    TorchvisionImages,
)
from experiments.config.photos import AnyPhotos, Cifar10Captions, Flickr30k, GeneratedPhotos, PhotoFolder

LOADERS = {
    Cifar10Config: "experiments.datasets.cifar10:load",
    ImageFolder: "experiments.datasets.image_folder:load_image_folder",
    TorchvisionImages: "experiments.datasets.torchvision_images:load_torchvision",
    GeneratedConfig: "experiments.datasets.generated:generate",
    Cifar10Captions: "experiments.datasets.cifar10_captions:load_cifar10_captions",
    Flickr30k: "experiments.datasets.flickr30k:load_flickr30k",
    PhotoFolder: "experiments.datasets.photo_folder:load_photo_folder",
    GeneratedPhotos: "experiments.datasets.generated_photos:generate_photos",
}
"""What loads each kind of data; of the arguments of `load_images`, a loader takes those that it names."""


def loader(config: AnyImages | AnyPhotos) -> str:
    """Return the ``"module:function"`` that loads what `config` names."""
    return LOADERS[type(config)]
