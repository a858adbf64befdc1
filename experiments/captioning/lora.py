"""Stage `lora`: fine-tuning of the captioner by low-rank adaptation on a few captioned photos."""

from collections.abc import Mapping

from experiments.captioning import adapter, models
from experiments.captioning.context import CaptioningContext
from experiments.captioning.encoded import encoded
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.datasets.photos import PicturesOf
from experiments.processes import is_main
from experiments.results.lora import Lora
from experiments.sections.lora import LoraSection

FOLDER = "adapter"
"""Where in its scratch folder the stage leaves the adapter, as PEFT saves it."""


def lora(section: LoraSection, inputs: Mapping[str, object], context: CaptioningContext) -> Lora:
    """Tune an adapter on the tuning photos, one caption each, and leave it in the scratch folder.

    Raises:
        UserError: if a target matches no layer, or the loss stops being finite.
    """
    captioner = models.load(context.artefact("align"))
    matched = len(adapter.matching_layers(captioner, section.targets))
    photos = context.photos().tuning
    features = encoded(captioner, PicturesOf(photos), context)
    captioner = adapter.with_adapter(
        captioner,
        r=section.r,
        alpha=section.alpha,
        dropout=section.dropout,
        targets=section.targets,
        seed=section.seed,
    )
    trainable, total = adapter.counts(captioner.network)
    checkpoint = context.scratch / "checkpoint.pt"
    tuning = tune(
        captioner,
        Pairs(features, [photo.references[0] for photo in photos]),
        Recipe(section.seed, section.epochs, section.batch_size, section.learning_rate),
        progress=context.progress,
        checkpoint=checkpoint,
        processes=context.processes,
    )
    size = 0
    if is_main(context.processes):
        size = adapter.save(captioner, context.scratch / FOLDER)
        checkpoint.unlink(missing_ok=True)
    return Lora(
        model=captioner.model,
        r=section.r,
        alpha=section.alpha,
        dropout=section.dropout,
        epochs=section.epochs,
        learning_rate=section.learning_rate,
        batch_size=section.batch_size,
        seed=section.seed,
        targets=section.targets,
        matched=matched,
        images=len(photos),
        trainable=trainable,
        total=total,
        adapter_bytes=size,
        loss=tuple(round(loss, 4) for loss in tuning.loss),
        seconds=round(tuning.seconds, 1),
        peak_bytes=tuning.peak_bytes,
    )
