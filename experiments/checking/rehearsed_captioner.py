"""A few real units of the captioner's work, timed on this machine."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.captioning import adapter, models, prefix
from experiments.captioning.alignment import Labelled, train_jointly, warm_up
from experiments.captioning.captioner import Captioner
from experiments.captioning.tokens import tokenise
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.captioning.writing import CAPTIONS
from experiments.checking.clock import now
from experiments.checking.rehearsal import at_hand
from experiments.checking.times import CaptionerPace
from experiments.datasets.photos import Photo
from experiments.profile import Profile
from experiments.sections.captioner import PrefixCaptionerSection
from experiments.sections.generation import GenerationSection
from experiments.sections.lora import LoraSection

PHOTOS = 8
"""Photos that are encoded."""
TOKENS = 8
"""Tokens of each caption that is written."""


def rehearse_captioner(
    profile: Profile, photos: Sequence[Photo], classes: tuple[str, ...], downloads: Path
) -> CaptionerPace:
    """Load the captioner, encode a few of the photos to tune on, make a step of each training, and write.

    The captioner comes from its parts or whole, as stage `align` makes it.
    """
    section, lora = profile.captioner, profile.lora
    start = now()
    if isinstance(section, PrefixCaptionerSection):
        captioner = prefix.build(section, at_hand(downloads))
    else:
        captioner = models.whole(section)
    build = load = now() - start
    features, encode = _encoded(captioner, [photo.pixels for photo in photos[:PHOTOS]])
    steps = (0.0, 0.0)
    if isinstance(captioner, prefix.PrefixCaptioner):
        steps = _aligned(captioner, [photo.pixels for photo in photos[:PHOTOS]], classes)
        load = _loaded(captioner)
    captions = [photo.references[0] for photo in photos]
    captioner = adapter.with_adapter(
        captioner, r=lora.r, alpha=lora.alpha, dropout=lora.dropout, targets=lora.targets, seed=lora.seed
    )
    return CaptionerPace(
        build=build,
        load=load,
        encode=encode,
        step=_step(captioner, features, captions, lora),
        token=_token(captioner, features, profile.generation.beams),
        warm_up=steps[0],
        joint=steps[1],
    )


def _encoded(captioner: Captioner, photos: Sequence[np.ndarray]) -> tuple[Tensor, float]:
    """Return the features of photos, and the seconds for one."""
    captioner.encode(photos[:1])
    start = now()
    features = captioner.encode(photos)
    return features, (now() - start) / len(photos)


def _aligned(
    captioner: prefix.PrefixCaptioner, photos: Sequence[np.ndarray], classes: tuple[str, ...]
) -> tuple[float, float]:
    """Return the seconds of a step of each training that aligns the captioner, and freeze it again."""
    section = captioner.section
    size = max(section.warm_up.batch_size, section.joint.batch_size)
    looked = captioner.look(photos).numpy()
    data = Labelled(looked[np.arange(size) % len(looked)], torch.arange(size) % len(classes), classes)
    once = section.warm_up.model_copy(update={"epochs": 1})
    warm_up(captioner, data, once, section.seed)
    start = now()
    warm_up(captioner, data, once, section.seed)
    first = now() - start
    moments: list[float] = []
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        train_jointly(
            captioner,
            data,
            section.joint.model_copy(update={"steps": 2}),
            seed=section.seed,
            path=Path(scratch) / "checkpoint.pt",
            progress=_stamping(moments),
        )
    captioner.mapper.requires_grad_(False)
    captioner.network.requires_grad_(False)
    return first, moments[1] - moments[0]


def _loaded(captioner: prefix.PrefixCaptioner) -> float:
    """Return the seconds that it takes to load what aligning the captioner leaves."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        prefix.save(captioner, Path(folder))
        start = now()
        prefix.load(captioner.section, Path(folder))
        return now() - start


def _step(captioner: Captioner, features: Tensor, captions: Sequence[str], lora: LoraSection) -> float:
    """Return the seconds of a step of tuning, on a batch with the longest captions."""
    longest = sorted(captions, key=len, reverse=True)[: lora.batch_size]
    tiled = features[torch.arange(len(longest)) % len(features)].numpy()
    moments: list[float] = []
    tune(
        captioner,
        Pairs(tiled, longest),
        Recipe(lora.seed, 2, lora.batch_size, lora.learning_rate),
        progress=_stamping(moments),
    )
    return moments[1] - moments[0]


def _token(captioner: Captioner, features: Tensor, beams: int) -> float:
    """Return the seconds for one token more of one caption, where as many are written at once as can be."""
    captioner.generate(features[:1], GenerationSection(max_new_tokens=2, beams=beams))
    tiled = features[torch.arange(CAPTIONS) % len(features)]
    start = now()
    written = captioner.generate(tiled, GenerationSection(max_new_tokens=TOKENS, beams=beams))
    seconds = now() - start
    steps = TOKENS
    if all(caption.ended for caption in written):  # the search stopped when the last caption had ended
        steps = min(TOKENS, tokenise(captioner.tokenizer, [caption.text for caption in written])[1].shape[1])
    return seconds / (CAPTIONS * steps)


def _stamping(moments: list[float]) -> Callable[[int, int, str], None]:
    return lambda done, total, note: moments.append(now())
