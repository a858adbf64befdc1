"""Which of the profile's models are on this machine, so that they can be rehearsed with."""

from collections.abc import Iterator
from pathlib import Path

from experiments.captioning.prefix import SMOLLM2
from experiments.checking.findings import Findings
from experiments.checking.shapes import folder_of
from experiments.classification import open_clip_weights
from experiments.classification.bridge import MINILM
from experiments.datasets import cifar10
from experiments.datasets.downloads import unpacked
from experiments.errors import UserError
from experiments.profile import Profile
from experiments.sections.captioner import EncoderDecoderSection, PrefixCaptionerSection
from experiments.sections.images import Cifar10Section
from experiments.sections.photos import Cifar10Captions
from experiments.sections.zero_shot import ImagenetBridge, OpenClipTower

CIFAR10_BYTES = 500_000_000
"""Of the archive, unpacked and decoded, about."""
ARCHIVE_BYTES = 200_000_000
"""Of a package and its unpacked files, about."""


def has_captioner(profile: Profile, root: Path, downloads: Path) -> bool:
    """Tell whether the captioner, or all its parts, can be loaded without a download."""
    match profile.captioner:
        case PrefixCaptionerSection():
            return unpacked(SMOLLM2, downloads).is_dir()
        case EncoderDecoderSection() as section:
            return folder_of(section, root) is not None
        case _:
            return True


def has_tower(profile: Profile, root: Path, downloads: Path) -> bool:
    """Tell whether the zero-shot tower can be loaded without a download."""
    match profile.zero_shot.tower:
        case ImagenetBridge():
            return unpacked(MINILM, downloads).is_dir()
        case OpenClipTower() as tower:
            try:
                return open_clip_weights.missing(tower, root, lambda: "not asked") is None
            except UserError:
                return False
        case _:
            return True


def findings_at_hand(profile: Profile, root: Path, downloads: Path) -> Findings:
    """Name the models that are not on this machine."""
    there = {
        "The captioner": has_captioner(profile, root, downloads),
        "The zero-shot tower": has_tower(profile, root, downloads),
    }
    return Findings(
        remarks=tuple(
            f"{what} is not on this machine, so that it is not rehearsed and its time not estimated."
            for what, is_there in there.items()
            if not is_there
        )
    )


def to_download(profile: Profile, root: Path, downloads: Path) -> dict[str, int]:
    """Return about how many bytes `run` will fetch into `.cache/`, by what they are."""
    return dict(_to_download(profile, root, downloads))


def _to_download(profile: Profile, root: Path, downloads: Path) -> Iterator[tuple[str, int]]:
    is_wanted = isinstance(profile.images, Cifar10Section) or isinstance(profile.photos, Cifar10Captions)
    if is_wanted and not cifar10.is_at_hand(downloads):
        yield "CIFAR-10", CIFAR10_BYTES
    if isinstance(profile.captioner, PrefixCaptionerSection) and not unpacked(SMOLLM2, downloads).is_dir():
        yield SMOLLM2.package, ARCHIVE_BYTES
    if isinstance(profile.zero_shot.tower, ImagenetBridge) and not unpacked(MINILM, downloads).is_dir():
        yield MINILM.package, ARCHIVE_BYTES
