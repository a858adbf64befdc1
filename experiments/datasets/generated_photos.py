"""Coloured shapes with captions that follow from how they were drawn."""

import numpy as np

from experiments.config.photos import GeneratedPhotos
from experiments.datasets.generated import CLASSES, mask
from experiments.datasets.photos import CaptionedPhotos, Photo

COLOURS = {
    "red": (224, 32, 32),
    "green": (32, 192, 32),
    "blue": (48, 64, 240),
    "yellow": (240, 224, 32),
    "white": (248, 248, 248),
    "purple": (176, 48, 208),
}
"""The colours' RGB values, each far from the others and from the dark background."""
BACKGROUND = 48
"""Channels of the background's noise stay below this."""
TUNING, EVALUATION = 0, 1


def generate_photos(config: GeneratedPhotos) -> CaptionedPhotos:
    """Draw shapes of named colours on dark noise, from the seed alone, the shapes in equal numbers.

    A tuning photo has one caption, an evaluation photo two of different wording. Each part is drawn from
    its own stream of random numbers: how many photos the other part has changes nothing.
    """
    return CaptionedPhotos(
        source=(),
        classes=CLASSES,
        tuning=_draw("tuning", config.tuning, config.size, np.random.default_rng([config.seed, TUNING])),
        evaluation=_draw(
            "evaluation", config.evaluation, config.size, np.random.default_rng([config.seed, EVALUATION])
        ),
    )


def _draw(part: str, count: int, size: int, random: np.random.Generator) -> tuple[Photo, ...]:
    shapes = random.permutation(np.arange(count) % len(CLASSES))
    colours = random.integers(0, len(COLOURS), count)
    photos = []
    for index, (shape, colour) in enumerate(
        zip((CLASSES[label] for label in shapes), (list(COLOURS)[number] for number in colours), strict=True)
    ):
        pixels = random.integers(0, BACKGROUND, (size, size, 3), dtype=np.uint8)
        pixels[mask(shape, size, random)] = COLOURS[colour]
        pixels.setflags(write=False)
        wordings = _wordings(shape, colour)
        photos.append(
            Photo(
                name=f"{part}-{index}",
                index=index,
                picture=pixels,
                references=wordings[:1] if part == "tuning" else wordings,
                label=shape,
            )
        )
    return tuple(photos)


def _wordings(shape: str, colour: str) -> tuple[str, ...]:
    several = shape.endswith("s") and not shape.endswith("ss")  # "stripes", but "cross"
    one = "" if several else "a "
    return (
        f"{one}{colour} {shape} on a dark background",
        f"dark noise behind {one}{shape} of {colour} colour",
    )
