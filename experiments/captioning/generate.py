"""Stage `generate`: the captions of every evaluation photo before and after fine-tuning."""

import time
from collections.abc import Mapping

from experiments.captioning.adapter import with_saved_adapter
from experiments.captioning.captioners import saved as models
from experiments.captioning.encoded import encoded
from experiments.captioning.lora import FOLDER
from experiments.captioning.pictures import file_name, picture
from experiments.captioning.writing import written
from experiments.config.tuning import GenerationConfig
from experiments.context import Context
from experiments.datasets.photos import PicturesOf
from experiments.results.generate import CaptionedRecord, Generated


def generate(config: GenerationConfig, inputs: Mapping[str, object], context: Context) -> Generated:
    """Write the captions with the base, then with the adapter on it, from the same features."""
    start = time.perf_counter()
    photos = context.photos()
    captioner = models.load(context.artefact("align"))
    features = encoded(captioner, PicturesOf(photos.evaluation), context)
    context.progress(0, 2, "")
    before = written(captioner, features, config, context.processes)
    context.progress(1, 2, "captions before tuning written")
    captioner = with_saved_adapter(captioner, context.artefact("lora") / FOLDER)
    after = written(captioner, features, config, context.processes)
    context.progress(2, 2, "captions after tuning written")
    return Generated(
        source=photos.source,
        classes=photos.classes,
        tuning_captions=tuple(photo.references[0] for photo in photos.tuning),
        records=tuple(
            CaptionedRecord(
                name=photo.name,
                index=photo.index,
                label=photo.label,
                references=photo.references,
                before=old.text,
                after=new.text,
                before_ended=old.ended,
                after_ended=new.ended,
                picture=context.attach(f"{file_name(photo.name)}.png", picture(photo.pixels)),
            )
            for photo, old, new in zip(photos.evaluation, before, after, strict=True)
        ),
        max_new_tokens=config.max_new_tokens,
        beams=config.beams,
        seconds=round(time.perf_counter() - start, 1),
    )
