"""Fine-tuning and captioning beside the plain use of transformers for the same work."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.assignment_inputs import save_captioner
from benchmarks.pairs import duration
from benchmarks.table import Found, Spread
from experiments import profile
from experiments.captioning import adapter
from experiments.captioning.captioners import saved
from experiments.captioning.captioners.captioner import tokenise
from experiments.captioning.captioners.encoder_decoder import load_encoder_decoder
from experiments.captioning.captioners.prefix import PrefixCaptioner
from experiments.captioning.inference import CAPTIONS, LIMIT
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.photos import GeneratedPhotos
from experiments.config.tuning import LoraConfig
from experiments.datasets.cifar10 import load
from experiments.datasets.generated_photos import generate_photos
from experiments.project import open_project
from pipeline import store

PHOTOS, SIDE = 50, 224
IMAGES = 1_000
ROUNDS = 2


def captions() -> Found:
    """Compare captions of 1,000 images, the pictures encoded, with `generate` of one image at a time.

    The captioner is the one that stage `align` of the default profile left.

    Raises:
        RuntimeError: if it left none here.
    """
    project = open_project(profile.DEFAULT)
    folder = project.cache / "align" / store.read(project, "align").key[:16]
    if not folder.is_dir():
        raise RuntimeError(
            "Run `python -m experiments run lora` first: this row needs the captioner of align."
        )
    captioner = saved.load(folder)
    assert isinstance(captioner, PrefixCaptioner)
    config: Any = project.profile.images
    images = load(config, project.downloads, print).test_pictures
    photos = [images[position] for position in range(IMAGES)]
    written: dict[str, list[str]] = {}

    def together() -> None:
        parts = (photos[first : first + CAPTIONS] for first in range(0, IMAGES, CAPTIONS))
        found = [each for part in parts for each in captioner.generate(captioner.encode(part), LIMIT)]
        written["together"] = [each.text for each in found]

    def one_by_one() -> None:
        written["one by one"] = [
            captioner.generate(captioner.encode([photo]), LIMIT)[0].text for photo in photos
        ]

    ours = Spread.of([duration(together) for _ in range(ROUNDS)])
    theirs = Spread.of([duration(one_by_one)])
    same = sum(one == other for one, other in zip(*written.values(), strict=True))
    return Found(
        ours=ours,
        theirs=theirs,
        unit="s",
        remark=f"{captioner.precision}; {same:,} of {IMAGES:,} captions are the same",
    )


def lora() -> Found:
    """Compare the assignment's fine-tuning, its photos encoded once, with the `Trainer` of transformers.

    Architecture, photos' number and size, and hyper-parameters are the assignment's, the weights random.
    """
    told = profile.load("assignment", Path.cwd()).lora
    assert told is not None
    drawn = generate_photos(GeneratedPhotos(kind="generated", seed=0, size=SIDE, tuning=PHOTOS, evaluation=2))
    photos = [photo.pixels for photo in drawn.tuning]
    texts = [photo.references[0] for photo in drawn.tuning]
    losses: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        save_captioner(Path(place))
        config = EncoderDecoderConfig(
            kind="vision_encoder_decoder", model=place, seed=0, precision="auto", held_out=0
        )
        adapted = [_adapted(config, told) for _ in range(2)]
        said = f"{adapted[0].precision} here, fp32 there"

        def cached() -> None:
            recipe = Recipe(told.seed, told.epochs, told.batch_size, told.learning_rate)
            features = adapted[0].encode(photos).numpy()
            losses["here"] = tune(adapted[0], Pairs(features, texts), recipe, progress=lambda *_: None).loss[
                -1
            ]

        def plain() -> None:
            losses["there"] = _trained(adapted[1], photos, texts, told, Path(place))

        ours, theirs = Spread.of([duration(cached)]), Spread.of([duration(plain)])
    remark = f"{said}; loss of the last epoch {losses['here']:.2f} here, {losses['there']:.2f} there"
    return Found(ours=ours, theirs=theirs, unit="s", remark=remark)


def _adapted(config: EncoderDecoderConfig, told: LoraConfig) -> Any:
    options = told.model_dump(include={"r", "alpha", "dropout", "targets", "seed"})
    return adapter.with_adapter(load_encoder_decoder(config, Path.cwd()), **options)


def _trained(
    captioner: Any, photos: Sequence[np.ndarray], texts: Sequence[str], told: LoraConfig, folder: Path
) -> float:
    """Tune by `Trainer`, in fp32 and from pixels, and return the mean loss of the last epoch."""
    from transformers import Trainer, TrainingArguments

    pixels = captioner.processor(list(photos), return_tensors="pt")["pixel_values"]
    tokens, mask = tokenise(captioner.tokenizer, texts)
    labels = tokens.masked_fill(mask == 0, -100)
    rows = [{"pixel_values": one, "labels": other} for one, other in zip(pixels, labels, strict=True)]
    trainer = Trainer(
        model=captioner.network,
        args=TrainingArguments(
            output_dir=str(folder / "trainer"),
            num_train_epochs=told.epochs,
            per_device_train_batch_size=told.batch_size,
            learning_rate=told.learning_rate,
            weight_decay=0.0,
            seed=told.seed,
            logging_strategy="epoch",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
        ),
        train_dataset=rows,  # pyright: ignore[reportArgumentType]
    )
    trainer.train()
    return [each["loss"] for each in trainer.state.log_history if "loss" in each][-1]
