"""What there is to say of the classification images, and of the networks that are trained on them."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from experiments.config.images import AnyImages
from experiments.config.training import CnnConfig, TrainingConfig, VitConfig
from experiments.datasets.images import draw_validation
from experiments.preflight.findings import Findings, counted
from experiments.preflight.read_images import ReadImage, ReadImages
from pipeline.errors import UserError, first_few

FEW_TO_LEARN, FEW_TO_TEST = 10, 5
"""Images of a class below which training, or a measured accuracy of the class, means little."""
UNEVEN = 3
"""How many times as large as the smallest the largest class may be without a remark."""
FEW_STEPS = 50
"""Steps of a training below which hardly anything is learnt."""


def findings_of_images(images: ReadImages, config: AnyImages) -> Findings:
    """Judge the images that were read: their structure, damage, copies, classes and sizes."""
    if images.absent:
        return Findings(remarks=(images.absent,))
    structure = [
        f"{images.what} is not as images.folder must be, so put it right: {phrase}."
        for phrase in images.structure
    ]
    copies = _copies(images)
    return Findings(
        read=tuple(_counts(images)),
        remarks=(
            *images.unused,
            *_few_of_a_class(images),
            *_uneven(images),
            *_nameless(images),
            *_small(images, getattr(config, "size", 0)),
            *(() if images.own else _count_of_copies(images, copies)),
        ),
        problems=(
            *structure,
            *images.damaged,
            *(map(_same, copies) if images.own else ()),
            *_too_few_for_validation(images, config),
        ),
    )


def findings_of_networks(cnn: CnnConfig | None, vit: VitConfig | None, train: int) -> Findings:
    """Hold the networks that are trained from scratch against the number of training images, 0 if unknown."""
    remarks = []
    configs: dict[str, TrainingConfig | None] = {"cnn": cnn, "vit": vit}
    for name, config in configs.items():
        if config is None:
            continue
        steps = config.epochs * max(1, train // config.batch_size)
        if train and steps < FEW_STEPS:
            remarks.append(
                f"{name} learns in {counted(steps, 'step')} only ({counted(train, 'training image')} in "
                f"batches of {config.batch_size}): lower {name}.batch_size or raise {name}.epochs."
            )
    return Findings(remarks=tuple(remarks))


def _counts(images: ReadImages) -> Iterator[str]:
    if images.images and images.classes:
        train, test = images.counts("train").total(), images.counts("test").total()
        yield (
            f"{images.what}: {counted(train, 'training image')} and {counted(test, 'test image')} of "
            f"{counted(len(images.classes), 'class')} ({first_few(images.classes, 3, ', ')})."
        )
    elif images.images:
        yield f"{images.what}: {counted(len(images.images), 'image')}."


def _too_few_for_validation(images: ReadImages, config: AnyImages) -> Iterator[str]:
    labels = [image.label for image in images.images if image.part == "train"]
    try:
        if labels:
            draw_validation(np.array(labels), config.validation, config.validation_seed)
    except UserError as error:
        yield str(error)


def _copies(images: ReadImages) -> list[list[ReadImage]]:
    """Return the images that are the same pixel for pixel, as groups."""
    groups: dict[bytes, list[ReadImage]] = defaultdict(list)
    for image in images.images:
        groups[image.digest].append(image)
    return [group for group in groups.values() if len(group) > 1]


def _same(group: list[ReadImage]) -> str:
    parts = {image.part for image in group}
    where = ", which stand both in training and in test" if len(parts) > 1 else ""
    labels = ", and are of different classes" if len({image.label for image in group}) > 1 else ""
    more = [f"{len(group) - 3:,} more"] if len(group) > 3 else []
    names = " and ".join([*(repr(image.name) for image in group[:3]), *more])
    return f"The images {names} are the same picture{where}{labels}: remove all but one."


def _count_of_copies(images: ReadImages, copies: list[list[ReadImage]]) -> Iterator[str]:
    both = sum(len({image.part for image in group}) > 1 for group in copies)
    if copies:
        yield (
            f"{images.what} holds {counted(len(copies), 'picture')} more than once, {both:,} of them both in "
            "training and in test."
        )


def _few_of_a_class(images: ReadImages) -> Iterator[str]:
    wanted = {"train": (FEW_TO_LEARN, "learn from"), "test": (FEW_TO_TEST, "measure an accuracy by")}
    for part, (least, purpose) in wanted.items():
        counts = images.counts(part)
        few = [
            f"{name} ({counts[label]})" for label, name in enumerate(images.classes) if counts[label] < least
        ]
        if few:
            yield f"Classes with hardly enough {part} images to {purpose}: {first_few(few, 3, ', ')}."


def _uneven(images: ReadImages) -> Iterator[str]:
    train, test = images.counts("train"), images.counts("test")
    if not images.classes or not train or not test:
        return
    (largest, most), (smallest, least) = train.most_common()[0], train.most_common()[-1]
    if most > UNEVEN * least:
        name = images.classes[largest]
        yield (
            f"The classes are uneven: {name} has {most:,} training images, {images.classes[smallest]} "
            f"{least:,}; whoever always says {name} is right for {test[largest] / test.total():.0%} of the "
            "test images."
        )


def _nameless(images: ReadImages) -> Iterator[str]:
    nameless = [name for name in images.classes if not any(mark.isalpha() for mark in name)]
    if nameless:
        yield (
            f"Classes without a word in their name: {first_few(nameless, 3, ', ')}; prompts and captions "
            "speak of a class by its name, so that a name in words would do better."
        )


def _small(images: ReadImages, size: int) -> Iterator[str]:
    small = [image.name for image in images.images if image.side is not None and image.side < size]
    if small:
        yield (
            f"Images smaller than images.size, {size} pixels: {len(small):,} of {len(images.images):,}, such "
            f"as {small[0]!r}; they are enlarged."
        )
