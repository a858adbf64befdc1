"""Stage `generate`: the captions of every evaluation photo before and after fine-tuning."""

import re
import time
from collections.abc import Mapping

from experiments.captioning.adapter import with_saved_adapter
from experiments.captioning.captioners import saved as models
from experiments.captioning.inference import encoded, write_captions
from experiments.config.tuning import GenerationConfig
from experiments.context import Context
from experiments.datasets.photos import pictures_of
from experiments.datasets.pictures import as_png
from experiments.results.generate import CaptionedRecord, Generated
from experiments.results.lora import ADAPTER


def generate(config: GenerationConfig, inputs: Mapping[str, object], context: Context) -> Generated:
    """Write the captions with the base, then with the adapter on it, from the same features."""
    start = time.perf_counter()
    photos = context.photos()
    captioner = models.load(context.artefact("align"))
    features = encoded(captioner, pictures_of(photos.evaluation), context)
    context.progress(0, 2, "")
    before = write_captions(captioner, features, config, context.processes)
    context.progress(1, 2, "captions before tuning written")
    captioner = with_saved_adapter(captioner, context.artefact("lora") / ADAPTER)
    after = write_captions(captioner, features, config, context.processes)
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
                picture=context.attach(f"{file_name(photo.name)}.png", as_png(photo.pixels)),
            )
            for photo, old, new in zip(photos.evaluation, before, after, strict=True)
        ),
        max_new_tokens=config.max_new_tokens,
        beams=config.beams,
        seconds=round(time.perf_counter() - start, 1),
    )


def file_name(photo: str) -> str:
    """Return a photo's name as that of a file which every system and every link can take."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", photo).lstrip("-.")[:80] or "photo"
