"""Which of the profile's models are on this machine, so that their files can be looked at."""

from pathlib import Path

from experiments.captioning.captioners.prefix import SMOLLM2
from experiments.classification import open_clip_weights
from experiments.classification.bridge import MINILM
from experiments.config.captioner import EncoderDecoderConfig, PrefixCaptionerConfig
from experiments.config.zero_shot import ImagenetBridge, OpenClipTower
from experiments.datasets.downloads import unpacked
from experiments.preflight.findings import Findings
from experiments.preflight.shapes import folder_of
from experiments.profile import Profile
from pipeline.errors import UserError


def has_captioner(profile: Profile, root: Path, downloads: Path) -> bool:
    """Tell whether the captioner, or all its parts, can be loaded without a download."""
    match profile.captioner:
        case PrefixCaptionerConfig():
            return unpacked(SMOLLM2, downloads).is_dir()
        case EncoderDecoderConfig() as config:
            return folder_of(config, root) is not None
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
            f"{what} is not on this machine yet, so that its files were not looked at."
            for what, is_there in there.items()
            if not is_there
        )
    )
