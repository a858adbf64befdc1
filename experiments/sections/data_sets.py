"""The profile section of the inspection of data sets, in which there is nothing to choose."""

from pathlib import PurePath

from experiments.frozen import Frozen
from experiments.sections.images import Cifar10Section, GeneratedSection, ImageFolder, ImagesSection
from experiments.sections.photos import Cifar10Captions, Flickr30k, GeneratedPhotos, PhotosSection


class NamedData(Frozen):
    """What kind of data a section names, and the name by which the report speaks of them.

    A folder is called by its own name: where it lies on this machine is nobody's business.
    """

    kind: str
    name: str


class DataSetsSection(Frozen):
    """What there is to inspect, as far as other sections name it."""

    images: NamedData
    photos: NamedData


def data_sets_section(images: ImagesSection, photos: PhotosSection) -> DataSetsSection:
    """Return the section that follows from two others."""
    return DataSetsSection(images=_images(images), photos=_photos(photos))


def _images(section: ImagesSection) -> NamedData:
    match section:
        case Cifar10Section():
            return NamedData(kind=section.kind, name="CIFAR-10")
        case GeneratedSection():
            return NamedData(kind=section.kind, name="drawn shapes")
        case ImageFolder():
            return NamedData(kind=section.kind, name=PurePath(section.folder).name)
        case _:
            return NamedData(kind=section.kind, name=section.name)


def _photos(section: PhotosSection) -> NamedData:
    match section:
        case Cifar10Captions():
            return NamedData(kind=section.kind, name="captioned photos of CIFAR-10")
        case GeneratedPhotos():
            return NamedData(kind=section.kind, name="drawn shapes")
        case Flickr30k():
            is_path = PurePath(section.repository).is_absolute() or section.repository.startswith((".", "~"))
            name = PurePath(section.repository).name if is_path else section.repository
            return NamedData(kind=section.kind, name=name)
        case _:
            return NamedData(kind=section.kind, name=PurePath(section.folder).name)
