"""What there is to say of the classification images."""

from collections import Counter, defaultdict

from experiments.config.images import AnyImages, Cifar10Config
from experiments.config.training import CnnConfig, TrainingConfig, VitConfig
from experiments.preflight.findings import Findings
from experiments.preflight.seen import Seen, SeenImages
from experiments.preflight.wording import counted, such_as

FEW_TO_LEARN, FEW_TO_TEST = 10, 5
"""Images of a class below which training, or a measured accuracy of the class, means little."""
UNEVEN = 3
"""How many times as large as the smallest the largest class may be without a remark."""
FEW_STEPS = 50
"""Steps of a training below which hardly anything is learnt."""
CIFAR10_SIDE = 32
"""Of CIFAR-10's images, in pixels."""


def side_of(config: AnyImages) -> int:
    """Return the side in pixels at which networks that are trained from scratch see images."""
    return CIFAR10_SIDE if isinstance(config, Cifar10Config) else config.size


def findings_of_images(seen: SeenImages, config: AnyImages) -> Findings:
    """Judge the images that were seen: their structure, damage, copies, classes and sizes."""
    if seen.absent:
        return Findings(remarks=(seen.absent,))
    size = getattr(config, "size", None)
    problems = [
        f"{seen.what} is not as images.folder must be, so put it right: {phrase}."
        for phrase in seen.structure
    ]
    copies = _copies(seen)
    return Findings(
        read=tuple(_read(seen)),
        remarks=(
            *seen.idle,
            *_few_of_a_class(seen),
            *_uneven(seen),
            *_nameless(seen),
            *_small(seen, size),
            *([] if seen.own else _copies_in_words(seen, copies)),
        ),
        problems=(*problems, *seen.damaged, *(map(_same, copies) if seen.own else ())),
    )


def findings_of_networks(cnn: CnnConfig, vit: VitConfig, side: int, train: int) -> Findings:
    """Hold the networks that are trained from scratch against `train` images of `side` pixels square.

    How many images there are is not known where `train` is 0.
    """
    problems, remarks = [], []
    if (side - 1) >> len(cnn.widths) < 1:
        problems.append(
            f"cnn.widths names {counted(len(cnn.widths), 'block')}, each of which halves images of {side} "
            "pixels, so that nothing is left of them: name fewer, or raise images.size."
        )
    configs: dict[str, TrainingConfig] = {"cnn": cnn, "vit": vit}
    for name, config in configs.items():
        if config.translate >= side:
            problems.append(
                f"{name}.translate shifts images by up to {config.translate} pixels, but they have {side}: "
                "lower it."
            )
        steps = config.epochs * max(1, train // config.batch_size)
        if train and steps < FEW_STEPS:
            remarks.append(
                f"{name} learns in {counted(steps, 'step')} only ({counted(train, 'training image')} in "
                f"batches of {config.batch_size}): lower {name}.batch_size or raise {name}.epochs."
            )
    return Findings(remarks=tuple(remarks), problems=tuple(problems))


def _read(seen: SeenImages) -> list[str]:
    if not seen.images:
        return []
    if not seen.classes:
        return [f"{seen.what}: {counted(len(seen.images), 'image')}."]
    train, test = seen.count("train"), seen.count("test")
    return [
        f"{seen.what}: {counted(train, 'training image')} and {counted(test, 'test image')} of "
        f"{counted(len(seen.classes), 'class')} ({such_as(seen.classes)})."
    ]


def _copies(seen: SeenImages) -> list[list[Seen]]:
    """Return the images that are the same pixel for pixel, as groups."""
    groups: dict[bytes, list[Seen]] = defaultdict(list)
    for image in seen.images:
        groups[image.digest].append(image)
    return [group for group in groups.values() if len(group) > 1]


def _same(group: list[Seen]) -> str:
    parts = {image.part for image in group}
    where = ", which stand both in training and in test" if len(parts) > 1 else ""
    labels = ", and are of different classes" if len({image.label for image in group}) > 1 else ""
    names = " and ".join(repr(image.name) for image in group)
    return f"The images {names} are the same picture{where}{labels}: remove all but one."


def _copies_in_words(seen: SeenImages, copies: list[list[Seen]]) -> list[str]:
    if not copies:
        return []
    both = sum(len({image.part for image in group}) > 1 for group in copies)
    return [
        f"{seen.what} holds {counted(len(copies), 'picture')} more than once, {both:,} of them both in "
        "training and in test."
    ]


def _few_of_a_class(seen: SeenImages) -> list[str]:
    wanted = {"train": (FEW_TO_LEARN, "learn from"), "test": (FEW_TO_TEST, "measure an accuracy by")}
    remarks = []
    for part, (least, purpose) in wanted.items():
        counts = Counter(image.label for image in seen.images if image.part == part)
        few = [
            f"{name} ({counts[label]})" for label, name in enumerate(seen.classes) if counts[label] < least
        ]
        if few:
            remarks.append(f"Classes with hardly enough {part} images to {purpose}: {such_as(few)}.")
    return remarks


def _uneven(seen: SeenImages) -> list[str]:
    counts = Counter(image.label for image in seen.images if image.part == "train")
    tested = Counter(image.label for image in seen.images if image.part == "test")
    if (
        not seen.classes
        or not tested
        or min(counts.values(), default=0) * UNEVEN >= max(counts.values(), default=0)
    ):
        return []
    (largest, most), (smallest, least) = counts.most_common()[0], counts.most_common()[-1]
    share = tested[largest] / tested.total()
    return [
        f"The classes are uneven: {seen.classes[largest]} has {most:,} training images, "
        f"{seen.classes[smallest]} {least:,}; whoever always says {seen.classes[largest]} is right for "
        f"{share:.0%} of the test images."
    ]


def _nameless(seen: SeenImages) -> list[str]:
    nameless = [name for name in seen.classes if not any(mark.isalpha() for mark in name)]
    if not nameless:
        return []
    return [
        f"Classes without a word in their name: {such_as(nameless)}; prompts and captions speak of a class "
        "by its name, so that a name in words would do better."
    ]


def _small(seen: SeenImages, size: int | None) -> list[str]:
    small = [image.name for image in seen.images if size and image.side is not None and image.side < size]
    if not small:
        return []
    return [
        f"Images smaller than images.size, {size} pixels: {len(small):,} of {len(seen.images):,}, such as "
        f"{small[0]!r}; they are enlarged."
    ]
