"""Made-up worlds: predictions and captions, of which the rest is computed as in a real run."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle, islice
from typing import Any, Literal

import numpy as np

from experiments.captioning.ablations import ablations
from experiments.captioning.compare import captions
from experiments.classification.evaluation import Predictions, score
from experiments.config.comparison import AblationsConfig, CaptionsConfig
from experiments.evidence.evidence import evidence
from experiments.results.align import Aligned
from experiments.results.caption import Caption
from experiments.results.data_sets import DataSets, DataSource
from experiments.results.evidence import Tested, Verdict
from experiments.results.generate import CaptionedRecord, Generated
from experiments.results.lora import Lora
from experiments.results.source import Source
from experiments.results.trained import TrainedClassifier
from experiments.results.variants import TunedVariant, Variants
from experiments.results.zero_shot import PromptSet, ZeroShot
from experiments.statistics.intervals import wilson
from pipeline.result import Attachment
from tests.support.contexts import SILENT
from tests.support.declared import declaring

CLASSES = ("cat", "dog", "ship", "frog")
IMAGES = 800
PHOTOS = 40
HELD_OUT = 200
COLOURS = ("grey", "black", "white", "brown", "red")
PLACES = ("on a rug", "in tall grass", "by the water", "under a tree", "near an old wall", "in the snow")
ALL_TARGETS = ("q_proj", "v_proj", "up_proj")
RESAMPLES = 2500  # enough that the smallest p of a bootstrap survives the correction
OF_CLASSIFIERS = ("zero_shot", "ensemble", "vit", "cnn", "harder", "images", "images_from")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)

GENERATED = DataSource(kind="generated", name="drawn shapes", sha256=None, files=None)
OWN_IMAGES = DataSource(kind="folder", name="pets & <things>", sha256="ab" * 32, files=2600)
OWN_PHOTOS = DataSource(kind="folder", name="my photos <b>", sha256="cd" * 32, files=90)


@dataclass(frozen=True)
class World:
    """What the models do; everything else follows.

    Accuracies are shares of test images, each model erring on images of its own, on the first class
    `harder` times as often; without `ensemble` there is one set of prompts. `style` is the share of photos
    whose caption is after tuning what a reference would be, by way of tuning; `named` the share of held-out
    photos whose class is named. `names` are the classes of the images, `classes` tells whether photos have
    them too. Captions have `wording`: they are as usual, of one word or of a thousand characters.
    """

    zero_shot: float = 0.6
    ensemble: float | None = 0.6
    vit: float = 0.75
    cnn: float = 0.9
    harder: float = 3.0
    images: int = IMAGES
    photos: int = PHOTOS
    names: tuple[str, ...] = CLASSES
    classes: bool = True
    wording: Literal["usual", "word", "long"] = "usual"
    images_from: DataSource = GENERATED
    photos_from: DataSource = GENERATED
    style: dict[str, float] = field(
        default_factory=lambda: {"rank_1": 0.0, "rank_8": 0.6, "rank_32": 0.9, "attention": 0.4, "full": 0.9}
    )
    named: dict[str, float] = field(
        default_factory=lambda: {
            "base": 0.9, "rank_1": 0.9, "rank_8": 0.85, "rank_32": 0.75, "attention": 0.8, "full": 0.5
        }
    )  # fmt: skip
    worse: bool = False
    off_is_base: bool = True
    trainable: int = 9_000_000
    seconds: float = 30.0

    def __hash__(self) -> int:
        """Be the same as a world of the same things, some of which are dictionaries."""
        return hash(repr(self))

    def altered(self, **changes: Any) -> "World":
        """The same world but for some things; `style` and `named` are changed key by key."""
        merged = {
            name: getattr(self, name) | change if isinstance(change, dict) else change
            for name, change in changes.items()
        }
        return replace(self, **merged)


def results(world: World) -> dict[str, Any]:
    """Return the result of every stage in a world; each world is computed once."""
    return {**_results(world)}


@cache
def _results(world: World) -> dict[str, Any]:
    plain = {name: getattr(World, name) for name in OF_CLASSIFIERS}
    values = _classifiers(world) | _captioned(replace(world, **plain))
    tests = declaring(values, RESAMPLES, exploratory=False)
    return values | {"evidence": evidence(tests, values, SILENT)}


@cache
def _captioned(world: World) -> dict[str, Any]:
    """Return what has no classifier in it: worlds that differ by these alone share it."""
    values = _captioning(world)
    section = CaptionsConfig(seed=0, resamples=100, example_quantiles=QUANTILES)
    values["captions"] = captions(section, values, SILENT)
    return values | {"ablations": ablations(AblationsConfig(seed=0, resamples=100), values, SILENT)}


def judged(values: dict[str, Any], verdict: Callable[[str], Verdict]) -> dict[str, Any]:
    """The same results with a verdict of every test by its key; figures that contradict it are swapped.

    Of a test whose two figures are one nothing can be told.
    """
    tests = {key: _judged(test, verdict(key)) for key, test in values["evidence"].tests.items()}
    return values | {"evidence": values["evidence"].model_copy(update={"tests": tests})}


def _judged(test: Tested, verdict: Verdict) -> Tested:
    if test.one == test.other:
        return test
    contradicts = verdict == ("lower" if test.one > test.other else "higher")
    swapped = {"one": test.other, "other": test.one, "difference": test.reversed} if contradicts else {}
    return test.model_copy(update={"verdict": verdict, **swapped})


def _classifiers(world: World) -> dict[str, Any]:
    labels = np.arange(world.images) % len(world.names)
    zero_shot = _scores(world, labels, world.zero_shot, 1)
    sets = {"single prompt": zero_shot}
    if world.ensemble is not None:
        sets["ensemble"] = _scores(world, labels, world.ensemble, 4)
    prompt_sets = tuple(
        PromptSet(
            name=name, templates=("a photo of a {}.",), top1=each["top1"], predictions=each["predictions"]
        )
        for name, each in sets.items()
    )
    trained = {
        stage: TrainedClassifier(
            model=model, **_scores(world, labels, accuracy, seed), parameters=600_000,
            precision="bf16", seconds=400.0, images_per_second=3000.0, epochs=8, training_images=45_000,
            training_seconds=390.0, loss=(2.0, 1.0), mistakes=(),
            validation=(wilson(3000, 5000), wilson(round(5000 * accuracy), 5000)),
        )
        for stage, model, accuracy, seed in (
            ("vit", "Vision transformer", world.vit, 2),
            ("cnn", "Convolutional network", world.cnn, 3),
        )
    }  # fmt: skip
    data = DataSets(
        images=world.images_from, photos=world.photos_from, classes=world.names,
        labels=tuple(labels.tolist()), labels_sha256=zero_shot["labels_sha256"], train_images=45_000,
        validation_images=5_000, test_images=world.images, shared_images=0, shared_validation=0,
        photos_source=_source(world), tuning_names=("a",),
        evaluation_names=tuple(_name(world, at) for at in range(world.photos)), shared_photos=0,
        tuning_in_validation=(), evaluation_in_validation=(),
        repeated_tuning_photos=0, repeated_evaluation_photos=0, evaluation_captions=2 * world.photos,
        shared_references=0,
    )  # fmt: skip
    pretrained = ZeroShot(
        model="CLIP ViT-B-32 (openai)", **zero_shot, parameters=151_000_000, precision="bf16", seconds=100.0,
        images_per_second=100.0, epochs=0, weights=(Source(name="open_clip ViT-B-32, openai"),), is_clip=True,
        seen_labels="none", prompt_sets=prompt_sets, validation=(),
        adaptation="not adapted to unlabelled images", unlabelled_images=0, less_adapted=(), mistakes=(),
    )  # fmt: skip
    return {"data_sets": data, "zero_shot": pretrained, **trained}


def _scores(world: World, labels: np.ndarray, accuracy: float, seed: int) -> Any:
    """Score a model that errs on `1 - accuracy` of the images, exactly, as often as its seed draws them."""
    random = np.random.default_rng(seed)
    weights = np.where(labels == 0, world.harder, 1.0)
    wrong = random.choice(
        len(labels), round((1 - accuracy) * len(labels)), replace=False, p=weights / weights.sum()
    )
    predictions = labels.copy()
    beside = np.minimum(random.choice([1, 1, 1, 2, 3], len(wrong)), len(world.names) - 1)
    predictions[wrong] = (labels[wrong] + beside) % len(world.names)
    return score(Predictions(predictions, np.full(len(labels), 0.8)), labels, world.names)


def _name(world: World, at: int) -> str:
    return f"photo-{at}" if world.photos_from.kind == "generated" else f"day {at % 3}/IMG_{at} (1) <b>.jpg"


def _source(world: World) -> tuple[Source, ...]:
    if world.photos_from.kind == "generated":
        return ()
    return (Source(name=f"photos of the folder {world.photos_from.name}, captions from captions #1.csv"),)


def _captioning(world: World) -> dict[str, Any]:
    tuned = tuple(_variant(world, key) for key in world.style)
    labels = tuple(islice(cycle(world.names), HELD_OUT))
    align = Aligned(
        model="a captioner", weights=(), precision="fp32", training="nothing", photos=0, steps=0, loss=(),
        right_class=wilson(round(world.named["base"] * HELD_OUT), HELD_OUT), held_out_labels=labels,
        held_out_captions=_held_out(world.named["base"], labels), parameters=130_000_000,
        tuned_parameters=120_000_000, seconds=1.0,
    )  # fmt: skip
    lora = Lora(
        model="a captioner", r=32, alpha=64, dropout=0.0, epochs=8, learning_rate=3e-4, batch_size=10, seed=1,
        targets=ALL_TARGETS, matched=30, images=50, trainable=world.trainable, total=140_000_000,
        adapter_bytes=4 * world.trainable, loss=(3.0, 2.0), seconds=world.seconds,
    )  # fmt: skip
    after = next(variant for variant in tuned if variant.key == "rank_32").captions
    records = tuple(
        CaptionedRecord(
            name=_name(world, at), index=at,
            label=world.names[at % len(world.names)] if world.classes else None,
            references=_references(world, at), before=_plain(world, at), after=after[at].text,
            before_ended=True, after_ended=after[at].ended,
            picture=Attachment(file=f"{at}.png", sha256=hashlib.sha256(str(at).encode()).hexdigest()),
        )
        for at in range(world.photos)
    )  # fmt: skip
    generate = Generated(
        source=_source(world), classes=world.names if world.classes else (),
        tuning_captions=("a cat on a rug",), records=records, max_new_tokens=32, beams=1, seconds=1.0,
    )  # fmt: skip
    return {
        "align": align, "lora": lora, "generate": generate, "variants": Variants(variants=tuned, seconds=1.0)
    }  # fmt: skip


def _variant(world: World, key: str) -> TunedVariant:
    rank = {"full": None, "attention": 32}.get(key, int(key.rpartition("_")[2]) if "_" in key else None)
    labels = tuple(islice(cycle(world.names), HELD_OUT))
    full = key == "full"
    changed = round(world.style[key] * world.photos)
    trainable = 120_000_000 if full else world.trainable * (rank or 0) // (64 if key == "attention" else 32)
    after = _rambling if world.worse and key == "rank_32" else _in_style
    return TunedVariant(
        key=key,
        name={"full": "full fine-tuning", "attention": "LoRA, r = 32, attention only"}.get(
            key, f"LoRA, r = {rank}"
        ),
        kind="full" if full else "lora", rank=rank,
        targets=() if full else ALL_TARGETS[:2] if key == "attention" else ALL_TARGETS,
        trainable=trainable, saved_bytes=4 * trainable, loss=(4.0, 2.0 + 1 / (rank or 10)),
        learning_rate=3e-5 if full else 3e-4,
        seconds_per_step=(60.0 if full else world.seconds) / 40,
        peak_bytes=4_000_000_000 if full else 2_000_000_000,
        captions=tuple(
            Caption(
                text=after(world, at) if at < changed else _plain(world, at),
                ended=not world.worse or at >= changed,
            )
            for at in range(world.photos)
        ),
        held_out=_held_out(world.named[key], labels),
        off_is_base=None if full else world.off_is_base,
    )  # fmt: skip


def _held_out(named: float, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Captions that name the class of the first `named` share of the photos."""
    right = round(named * len(labels))
    return tuple(f"a photo of a {label if at < right else 'thing'}" for at, label in enumerate(labels))


def _plain(world: World, at: int) -> str:
    return _worded(world, f"a photo of a {_class(world, at)}", at)


def _in_style(world: World, at: int) -> str:
    return _worded(world, f"a {COLOURS[at % 5]} {_class(world, at)} {PLACES[(at + at // 6) % 6]}", at)


def _references(world: World, at: int) -> tuple[str, ...]:
    texts = (f"{one} {COLOURS[at % 5]} {_class(world, at)} {PLACES[at % 6]}" for one in ("a", "one"))
    return tuple(_worded(world, text, at) for text in texts)


def _rambling(world: World, at: int) -> str:
    return f"pink thing thing thing thing. pink is {COLOURS[(at + 1) % 5]}. and a"


def _class(world: World, at: int) -> str:
    return world.names[at % len(world.names)]


def _worded(world: World, text: str, at: int) -> str:
    """Put a caption into the world's wording."""
    if world.wording == "word":
        return text.split()[at % 3]
    if world.wording == "long":
        return " and then ".join([text] * (1000 // len(text) + 1))[:1000]
    return text
