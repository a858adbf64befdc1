"""How much there is of everything that a run works through."""

from dataclasses import dataclass

from experiments.checking.seen import SeenImages
from experiments.datasets.cifar10 import CLASSES
from experiments.datasets.photos import CaptionedPhotos
from experiments.profile import Profile
from experiments.sections.captioner import PrefixCaptionerSection
from experiments.sections.images import AnyImages, Cifar10Section
from experiments.sections.zero_shot import ImagenetBridge

SIDE = 32
"""Of CIFAR-10's images, in pixels."""


@dataclass(frozen=True)
class Counts:
    """Numbers of images and photos, and the side in pixels at which networks trained from scratch see images.

    `unlabelled` training images centre the zero-shot tower, `aligned` ones align the captioner, `held_out`
    test images are captioned by every variant. `stored` says that images are made ready on disk first.
    """

    train: int
    test: int
    classes: int
    side: int
    stored: bool
    unlabelled: int
    aligned: int
    held_out: int
    tuning: int
    evaluation: int


def side_of(section: AnyImages) -> int:
    """Return the side in pixels at which networks that are trained from scratch see images."""
    return SIDE if isinstance(section, Cifar10Section) else section.size


def counts_of(profile: Profile, images: SeenImages, photos: CaptionedPhotos | None) -> Counts | None:
    """Count what was read, or is known of what is still to be fetched; None if either part is not known."""
    captioner, tower = profile.captioner, profile.zero_shot.tower
    if images.few:
        train, test, classes = images.count("train"), images.count("test"), len(images.classes)
    elif images.absent and isinstance(profile.images, Cifar10Section):
        train, test, classes = 50_000, 10_000, len(CLASSES)
    else:
        return None
    tuning = len(photos.tuning) if photos else getattr(profile.photos, "tuning", None)
    evaluation = len(photos.evaluation) if photos else getattr(profile.photos, "evaluation", None)
    if tuning is None or evaluation is None:
        return None
    return Counts(
        train=train,
        test=test,
        classes=classes,
        side=side_of(profile.images),
        stored=profile.images.kind in ("folder", "torchvision"),
        unlabelled=min(tower.unlabelled_images, train) if isinstance(tower, ImagenetBridge) else 0,
        aligned=min(captioner.photos, train) if isinstance(captioner, PrefixCaptionerSection) else 0,
        held_out=min(captioner.held_out, test),
        tuning=tuning,
        evaluation=evaluation,
    )
