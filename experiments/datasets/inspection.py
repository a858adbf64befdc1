"""Stage `data_sets`: what the data sets hold, and what stands on both sides of a split that must not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from experiments.captioning.scoring.words import words
from experiments.config.data_sets import DataSetsConfig, NamedData
from experiments.context import Context
from experiments.datasets.images import ClassifiedImages, labels_sha256
from experiments.datasets.photos import CaptionedPhotos, Photo, pictures_of
from experiments.datasets.pictures import Pictures
from experiments.results.data_sets import DataSets, DataSource

_PICTURES, _LABELS = np.empty((0, 1, 1, 3), dtype=np.uint8), np.empty(0, dtype=np.int64)
NO_IMAGES = ClassifiedImages((), _PICTURES, _LABELS, _PICTURES, _LABELS)
NO_PHOTOS = CaptionedPhotos(source=(), classes=(), tuning=(), evaluation=())
"""What there is to inspect of a half that a profile leaves out."""


def data_sets(config: DataSetsConfig, inputs: Mapping[str, object], context: Context) -> DataSets:
    """Count what the data sets share between training, validation and test, and tuning and evaluation."""
    images = context.images() if config.images else NO_IMAGES
    context.progress(1, 3, "")
    photos = context.photos() if config.photos else NO_PHOTOS
    context.progress(2, 3, "")
    known = {words(text) for photo in photos.tuning for text in photo.references}
    captions = [text for photo in photos.evaluation for text in photo.references]
    result = DataSets(
        images=_source(config.images, "images", context),
        photos=_source(config.photos, "photos", context),
        classes=images.classes,
        labels=tuple(images.test_labels.tolist()),
        labels_sha256=labels_sha256(images.test_labels),
        train_images=len(images.train_images),
        validation_images=len(images.validation_images),
        test_images=len(images.test_images),
        shared_images=shared(images.test_pictures, images.train_pictures, images.validation_pictures),
        shared_validation=shared(images.validation_pictures, images.train_pictures),
        photos_source=photos.source,
        tuning_names=tuple(photo.name for photo in photos.tuning),
        evaluation_names=tuple(photo.name for photo in photos.evaluation),
        tuning_in_validation=_among(photos.tuning, images.validation_pictures),
        evaluation_in_validation=_among(photos.evaluation, images.validation_pictures),
        shared_photos=shared(pictures_of(photos.evaluation), pictures_of(photos.tuning)),
        repeated_tuning_photos=repeated(pictures_of(photos.tuning)),
        repeated_evaluation_photos=repeated(pictures_of(photos.evaluation)),
        evaluation_captions=len(captions),
        shared_references=sum(words(text) in known for text in captions),
    )
    context.progress(3, 3, "")
    return result


def _source(named: NamedData | None, config: str, context: Context) -> DataSource | None:
    if named is None:
        return None
    sha256, files = context.manifest(config) or (None, None)
    return DataSource(kind=named.kind, name=named.name, sha256=sha256, files=files)


def shared(pictures: Pictures, *others: Pictures) -> int:
    """Count the pictures that are pixel for pixel one of the others, wherever those stand."""
    known = {digest for part in others for digest in _digests(part)}
    return sum(digest in known for digest in _digests(pictures))


def _among(photos: Sequence[Photo], pictures: Pictures) -> tuple[str, ...]:
    """Return the names of the photos that are pixel for pixel one of the pictures."""
    known = set(_digests(pictures))
    own = zip(photos, _digests(pictures_of(photos)), strict=True)
    return tuple(photo.name for photo, digest in own if digest in known)


def repeated(pictures: Pictures) -> int:
    """Count the pictures that are pixel for pixel an earlier one."""
    times = Counter(_digests(pictures))
    return times.total() - len(times)


def _digests(pictures: Pictures) -> Iterator[bytes]:
    return (bytes.fromhex(pictures.digest(position)) for position in range(len(pictures)))
