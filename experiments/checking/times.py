"""From the pace of a few units of each stage's work to how long the stages will take."""

import math
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from experiments.captioning.held_out import LIMIT
from experiments.checking.counts import Counts
from experiments.checking.wording import counted
from experiments.profile import Profile
from experiments.sections.captioner import PrefixCaptionerSection
from experiments.sections.training import TrainingSection

FULL_STEP = 1.5
"""How many steps of an adapter's tuning one of full fine-tuning takes: gradients of all weights come to the
two passes through the network."""


@dataclass(frozen=True)
class ClassifierPace:
    """Seconds for a training image, and for a test image."""

    train: float
    test: float


@dataclass(frozen=True)
class ZeroShotPace:
    """Seconds to load the tower, to encode an image, and to describe a class by all prompts of all sets."""

    load: float
    image: float
    describe: float


@dataclass(frozen=True)
class CaptionerPace:
    """Seconds of the captioner's work.

    `build` is for making it of its parts, `load` for loading it, `encode` for a photo, `step` for a step of
    tuning an adapter at the profile's batch size, `token` for one token more of one caption. `warm_up` and
    `joint` are steps of aligning a prefix captioner, 0 where there is nothing to align.
    """

    build: float
    load: float
    encode: float
    step: float
    token: float
    warm_up: float = 0.0
    joint: float = 0.0


@dataclass(frozen=True)
class Paces:
    """What was rehearsed; None is what could not be. `read` is how long reading all images took."""

    read: float
    zero_shot: ZeroShotPace | None
    cnn: ClassifierPace | None
    vit: ClassifierPace | None
    captioner: CaptionerPace | None


Pace = TypeVar("Pace", ClassifierPace, ZeroShotPace, CaptionerPace)


def sped_up(pace: Pace, times: float) -> Pace:
    """Return the pace where all that is computed, rather than loaded, goes so many times as fast."""
    computed = [part.name for part in fields(pace) if part.name not in ("load", "build")]
    return replace(pace, **{name: getattr(pace, name) / times for name in computed})


@dataclass(frozen=True)
class StageTime:
    """The seconds that a stage is estimated to take, None if it is not, and the work that they are for."""

    stage: str
    seconds: float | None
    work: str


def stage_times(profile: Profile, counts: Counts, paces: Paces, caption_length: int) -> list[StageTime]:
    """Estimate all heavy stages.

    A caption is taken to be as long as the longest to tune on, `caption_length` tokens, or as the limit.
    """
    return [
        StageTime("data_sets", paces.read, f"reading {counted(counts.train + counts.test, 'image')} once"),
        _zero_shot(profile, counts, paces.zero_shot),
        _classifier("cnn", profile.cnn, counts, paces.cnn),
        _classifier("vit", profile.vit, counts, paces.vit),
        *_captioner(profile, counts, paces.captioner, caption_length),
    ]


def _zero_shot(profile: Profile, counts: Counts, pace: ZeroShotPace | None) -> StageTime:
    images = counts.unlabelled + counts.test
    prompts = sum(len(prompts.templates) for prompts in profile.zero_shot.prompt_sets)
    seconds = pace and pace.load + images * pace.image + counts.classes * pace.describe
    each = f"{counted(prompts, 'prompt')} for each of {counted(counts.classes, 'class')}"
    return StageTime("zero_shot", seconds, f"{counted(images, 'image')}, {each}")


def _classifier(
    stage: str, section: TrainingSection, counts: Counts, pace: ClassifierPace | None
) -> StageTime:
    seconds = pace and section.epochs * counts.train * pace.train + counts.test * pace.test
    work = f"{counted(section.epochs, 'epoch')} of {counted(counts.train, 'image')}"
    return StageTime(stage, seconds, work)


def _captioner(
    profile: Profile, counts: Counts, pace: CaptionerPace | None, caption_length: int
) -> list[StageTime]:
    lora, variants = profile.lora, profile.variants
    steps = lora.epochs * math.ceil(counts.tuning / lora.batch_size)
    others = len({*variants.ranks} - {lora.r}) + 1  # other ranks, and attention alone
    adapted = others + 1
    evaluated = counts.evaluation * min(caption_length, profile.generation.max_new_tokens)
    held_out = counts.held_out * min(caption_length, LIMIT.max_new_tokens)
    written = (adapted + 1) * counts.evaluation + (2 * adapted + 1) * counts.held_out
    aligned = _aligned_steps(profile, counts)
    work = {
        "align": f"{aligned}{counted(counts.held_out, 'caption')}",
        "lora": f"{counted(steps, 'step')} of {lora.batch_size}",
        "generate": counted(2 * counts.evaluation, "caption"),
        "variants": f"{counted(others, 'adapter')} and full fine-tuning, {counted(written, 'caption')}",
    }
    if pace is None:
        return [StageTime(stage, None, words) for stage, words in work.items()]
    seconds = {
        "align": _aligning(profile, counts, pace)
        + pace.build
        + pace.load
        + counts.held_out * pace.encode
        + held_out * pace.token,
        "lora": pace.load + counts.tuning * pace.encode + steps * pace.step,
        "generate": pace.load + counts.evaluation * pace.encode + 2 * evaluated * pace.token,
        "variants": (adapted + 2) * pace.load
        + steps * (others + FULL_STEP) * pace.step
        + ((adapted + 1) * evaluated + (2 * adapted + 1) * held_out) * pace.token,
    }
    return [StageTime(stage, seconds[stage], words) for stage, words in work.items()]


def _aligning(profile: Profile, counts: Counts, pace: CaptionerPace) -> float:
    """Return the seconds that aligning a prefix captioner's parts takes."""
    captioner = profile.captioner
    if not isinstance(captioner, PrefixCaptionerSection):
        return 0.0
    steps = captioner.warm_up.epochs * math.ceil(counts.aligned / captioner.warm_up.batch_size)
    return counts.aligned * pace.encode + steps * pace.warm_up + captioner.joint.steps * pace.joint


def _aligned_steps(profile: Profile, counts: Counts) -> str:
    """Return in words what aligning a prefix captioner's parts is."""
    captioner = profile.captioner
    if not isinstance(captioner, PrefixCaptionerSection):
        return ""
    steps = f"{counted(captioner.joint.steps, 'step')} of {captioner.joint.batch_size}"
    return f"{counted(counts.aligned, 'photo')}, {steps}, "
