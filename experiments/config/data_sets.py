"""The profile section of the inspection of data sets, in which there is nothing to choose."""

from pathlib import PurePath

from experiments.config.images import Cifar10Config, GeneratedConfig, ImageFolder, ImagesConfig
from experiments.config.photos import Cifar10Captions, Flickr30k, GeneratedPhotos, PhotosConfig
from pipeline.frozen import Frozen


class NamedData(Frozen):
    """What kind of data a section names, and the name by which the report speaks of them.

    A folder is called by its own name: where it lies on this machine is nobody's business.
    """

    kind: str
    name: str


class DataSetsConfig(Frozen):
    """What there is to inspect, as far as other sections name it; None where a profile has no such data."""

    images: NamedData | None
    photos: NamedData | None


def data_sets_config(images: ImagesConfig | None, photos: PhotosConfig | None) -> DataSetsConfig:
    """Return the section that follows from two others, either of which may be absent."""
    return DataSetsConfig(images=images and _images(images), photos=photos and _photos(photos))


def _images(config: ImagesConfig) -> NamedData:
    match config:
        case Cifar10Config():
            return NamedData(kind=config.kind, name="CIFAR-10")
        case GeneratedConfig():
            return NamedData(kind=config.kind, name="drawn shapes")
        case ImageFolder():
            return NamedData(kind=config.kind, name=PurePath(config.folder).name)
        case _:
            return NamedData(kind=config.kind, name=config.name)


def _photos(config: PhotosConfig) -> NamedData:
    match config:
        case Cifar10Captions():
            return NamedData(kind=config.kind, name="captioned photos of CIFAR-10")
        case GeneratedPhotos():
            return NamedData(kind=config.kind, name="drawn shapes")
        case Flickr30k():
            is_path = PurePath(config.repository).is_absolute() or config.repository.startswith((".", "~"))
            name = PurePath(config.repository).name if is_path else config.repository
            return NamedData(kind=config.kind, name=name)
        case _:
            return NamedData(kind=config.kind, name=PurePath(config.folder).name)
