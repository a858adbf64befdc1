"""Stage `align`: a captioner that writes generic captions, ready to be fine-tuned."""

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from experiments.captioning.alignment import Labelled, as_said, learn_to_read, learn_to_say
from experiments.captioning.captioners import prefix
from experiments.captioning.captioners import saved as models
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.inference import FEATURES, caption_held_out, held_out
from experiments.captioning.scoring.class_words import names_class
from experiments.config.captioner import AnyCaptionerConfig, PrefixCaptionerConfig
from experiments.context import Context
from experiments.datasets.photos import draw_others
from experiments.models.feature_store import cached_features
from experiments.models.processes import is_main
from experiments.results.align import Aligned
from experiments.results.classification import Precision
from experiments.statistics.intervals import wilson

LEARNS_AT: Precision = "fp32"
"""What parts learn at, whatever they compute at afterwards. Of captions of validation images, 2.4 points less
named the right class after learning in bf16 (seed 0, of 2,500); writing in bf16 cost 0.1 (of 1,000)."""
_STEP = 450
"""How many photos can be encoded in the time of a step of reading, for an honest estimate of what is left."""


def align(config: AnyCaptionerConfig, inputs: Mapping[str, object], context: Context) -> Aligned:
    """Align the captioner's parts, if it has parts, and measure its captions of held-out photos.

    The aligned captioner is left in the scratch folder, for `models.load`, with the precision that was chosen
    here once, so that whatever is made of it computes alike on any machine.
    """
    start = time.perf_counter()
    precision = context.precision(config.precision)
    config = config.model_copy(update={"precision": precision})
    losses: tuple[float, ...] = ()
    if isinstance(config, PrefixCaptionerConfig):
        captioner, losses = _align_parts(config, context)
        photos, steps = config.photos + config.reading.photos, config.reading.steps
        training = (
            "the mapper between the two, and the language model's reading of it, on generic captions "
            "such as " + " or ".join(f"“{template}”" for template in config.reading.templates[:2])
        )
    else:
        captioner, photos, steps, training = models.whole(config, context.root), 0, 0, "nothing"
    if is_main(context.processes):
        models.save(config, captioner, context.scratch, context.root)
    context.processes.barrier()
    if not is_main(context.processes):
        captioner = models.load(context.scratch)
    photos_held_out = held_out(captioner, config, context)
    captions = caption_held_out(captioner, photos_held_out, context.processes)
    right = sum(map(names_class, captions, photos_held_out.labels))
    return Aligned(
        model=captioner.model,
        weights=captioner.weights,
        precision=precision,
        training=training,
        photos=photos,
        steps=steps,
        loss=tuple(round(loss, 4) for loss in losses),
        right_class=wilson(right, len(captions)) if captions else None,
        held_out_labels=photos_held_out.labels,
        held_out_captions=captions,
        parameters=captioner.parameters(),
        tuned_parameters=sum(parameter.numel() for parameter in captioner.network.parameters()),
        seconds=round(time.perf_counter() - start, 1),
    )


def _align_parts(config: PrefixCaptionerConfig, context: Context) -> tuple[Captioner, tuple[float, ...]]:
    """Return the aligned captioner and the loss of each tenth of the training of its language model."""
    images, photos = context.images(), context.photos()
    known = (*photos.tuning, *photos.evaluation)
    both = config.photos + config.reading.photos
    chosen = draw_others(images.train_pictures, known, both, config.seed)
    captioner = prefix.build(config.model_copy(update={"precision": LEARNS_AT}), context.fetch)

    total = len(chosen) + _STEP * config.reading.steps

    def encoded_so_far(done: int) -> None:
        context.progress(done, total, "photos encoded" if done == len(chosen) else "")

    def trained_so_far(done: int, steps: int, note: str) -> None:
        context.progress(len(chosen) + _STEP * done, total, note)

    pictures = images.train_pictures.at(chosen)
    encoder = captioner.tower_fingerprint()
    features = cached_features(
        captioner.tower_features,
        encoder,
        pictures,
        context,
        module=prefix.__name__,
        folder=FEATURES,
        report=encoded_so_far,
    ).features
    if not is_main(context.processes):
        return captioner, ()  # the main process trains, and the others load what it leaves
    data = Labelled(features, torch.from_numpy(images.train_labels[chosen]), images.classes)
    order = np.random.default_rng(config.seed).permutation(len(chosen))
    share = round(len(chosen) * config.photos / both)  # of fewer photos than asked for, each has its share
    checkpoint = context.scratch / "checkpoint.pt"
    learn_to_say(captioner, data.at(order[:share]), config.saying, config.seed)
    losses = learn_to_read(
        captioner,
        as_said(captioner, data.at(order[share:])),
        config.reading,
        seed=config.seed,
        path=checkpoint,
        progress=trained_so_far,
    )
    checkpoint.unlink(missing_ok=True)
    captioner.network.requires_grad_(False)
    return replace(captioner, config=config), losses
