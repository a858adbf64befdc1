"""Stage `data_sets`: what the data sets hold, and what stands on both sides of a split that must not."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.captioning.context import CaptioningContext
from experiments.captioning.words import words
from experiments.datasets.photos import Photo
from experiments.results.data_sets import DataSets
from experiments.sections.data_sets import DataSetsSection


def data_sets(section: DataSetsSection, inputs: Mapping[str, object], context: CaptioningContext) -> DataSets:
    """Count what the profile's data sets share between training and test, tuning and evaluation."""
    images = context.images()
    context.progress(1, 3, "")
    photos = context.photos()
    context.progress(2, 3, "")
    known = {words(text) for photo in photos.tuning for text in photo.references}
    captions = [text for photo in photos.evaluation for text in photo.references]
    result = DataSets(
        classes=images.classes,
        labels=tuple(images.test_labels.tolist()),
        labels_sha256=hashlib.sha256(images.test_labels.astype(np.uint8).tobytes()).hexdigest(),
        train_images=len(images.train_images),
        test_images=len(images.test_images),
        shared_images=shared(images.test_images, images.train_images),
        photos_source=photos.source,
        tuning_names=tuple(photo.name for photo in photos.tuning),
        evaluation_names=tuple(photo.name for photo in photos.evaluation),
        shared_photos=shared(_pixels(photos.evaluation), _pixels(photos.tuning)),
        repeated_tuning_photos=repeated(_pixels(photos.tuning)),
        repeated_evaluation_photos=repeated(_pixels(photos.evaluation)),
        evaluation_captions=len(captions),
        shared_references=sum(words(text) in known for text in captions),
    )
    context.progress(3, 3, "")
    return result


def shared(images: Iterable[np.ndarray], others: Iterable[np.ndarray]) -> int:
    """Count the images that are pixel for pixel one of the others, wherever those stand."""
    known = set(map(_digest, others))
    return sum(_digest(image) in known for image in images)


def repeated(images: Iterable[np.ndarray]) -> int:
    """Count the images that are pixel for pixel an earlier one."""
    times = Counter(map(_digest, images))
    return times.total() - len(times)


def _pixels(photos: Sequence[Photo]) -> list[np.ndarray]:
    return [photo.pixels for photo in photos]


def _digest(pixels: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    """Return an image's shape with the hash of its bytes, which alone do not tell 2 x 8 from 4 x 4."""
    return pixels.shape, hashlib.sha256(np.ascontiguousarray(pixels).data).digest()
