"""Stage `lora`: fine-tuning of the captioner by low-rank adaptation on a few captioned photos."""

from collections.abc import Mapping

from experiments.captioning import adapter
from experiments.captioning.captioners import saved as models
from experiments.captioning.inference import encoded
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.config.tuning import LoraConfig
from experiments.context import Context
from experiments.datasets.photos import pictures_of
from experiments.models.processes import is_main
from experiments.results.lora import ADAPTER, Lora


def lora(config: LoraConfig, inputs: Mapping[str, object], context: Context) -> Lora:
    """Tune an adapter on the tuning photos, one caption each, and leave it in the scratch folder.

    Raises:
        UserError: if a target matches no layer, or the loss stops being finite.
    """
    captioner = models.load(context.artefact("align"))
    matched = len(adapter.matching_layers(captioner, config.targets))
    photos = context.photos().tuning
    features = encoded(captioner, pictures_of(photos), context)
    options = config.model_dump(include={"r", "alpha", "dropout", "targets", "seed"})
    captioner = adapter.with_adapter(captioner, **options)
    trainable, total = adapter.counts(captioner.network)
    checkpoint = context.scratch / "checkpoint.pt"
    tuning = tune(
        captioner,
        Pairs(features, [photo.references[0] for photo in photos]),
        Recipe(config.seed, config.epochs, config.batch_size, config.learning_rate),
        progress=context.progress,
        checkpoint=checkpoint,
        processes=context.processes,
    )
    size = 0
    if is_main(context.processes):
        size = adapter.save(captioner, context.scratch / ADAPTER)
        checkpoint.unlink(missing_ok=True)
    return Lora(
        **config.model_dump(),
        model=captioner.model,
        matched=matched,
        images=len(photos),
        trainable=trainable,
        total=total,
        adapter_bytes=size,
        loss=tuple(round(loss, 4) for loss in tuning.loss),
        seconds=round(tuning.seconds, 1),
    )
