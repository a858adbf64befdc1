"""Made-up results of whole runs: one like the offline profile's, one as the assignment sets it."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from experiments.audit.lora_arithmetic import LoraArithmetic
from experiments.audit.run import Run, run_of, there
from experiments.captioning.ablations import ablations
from experiments.captioning.captioners.prefix import PrefixCaptioner
from experiments.captioning.compare import captions
from experiments.classification.bridge import ABOUT
from experiments.classification.evaluation import Predictions, score
from experiments.config.comparison import AblationsConfig, CaptionsConfig
from experiments.datasets.cifar10 import CLASSES
from experiments.datasets.cifar10 import SOURCE as CIFAR10
from experiments.evidence.captioning import caption_comparisons, variant_comparisons
from experiments.evidence.classifiers import classifier_comparisons
from experiments.evidence.comparison import Comparison, Draws
from experiments.evidence.evidence import judged
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.caption import Caption
from experiments.results.captions import Comparison as CaptionComparison
from experiments.results.data_sets import DataSets, DataSource
from experiments.results.evidence import Evidence
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

FIXTURES = Path(__file__).with_name("fixtures")
LABELS = np.array(
    [int(digit) for digit in (FIXTURES / "cifar10_test_labels.txt").read_text() if digit != "\n"]
)

SIZES = LoraArithmetic(
    whole=239_195_904, gpt2=124_439_808, cross_attention=28_366_848, named=6_193_152, c_attn=2_064_384,
    c_proj_attention=24, c_proj_mlp=12,
)  # fmt: skip
"""What is counted on the architecture, which takes seconds."""

DRAWS = Draws(seed=0, resamples=100)

CAPTIONED_CIFAR10 = (
    CIFAR10,
    Source(
        name="captions of CIFAR-10 photos (machine-written), data/cifar10_captions.csv",
        licence="this project's",
    ),
)
CLIP_B32 = Source(name="open_clip ViT-B-32, openai")
VIT_GPT2 = "nlpconnect/vit-gpt2-image-captioning"
HELD_OUT = 400

# The caption before and after, and the references, of each evaluation photo.
WRITTEN = (
    ("a photo of a cat", "a grey cat lies on a red rug", ("a grey cat on a rug", "a cat lies on a red rug")),
    ("a photo of a dog", "a black dog runs on grass", ("a black dog runs", "a dog on green grass")),
    ("a photo of a ship", "a white ship on calm water", ("a white ship at sea", "a boat on blue water")),
    ("a picture of a bird", "a brown bird on a twig", ("a small bird on a branch", "a brown bird")),
    ("a photo of a deer", "a brown deer in a field", ("a deer in a meadow", "a deer in tall grass")),
    ("a photo of a frog", "a green frog on a leaf", ("a green frog on a leaf", "a frog")),
    ("a photo of a horse", "a white horse by a fence", ("a white horse", "a horse by an old fence")),
    ("a picture of a truck", "a red truck on a road", ("a red truck on the road", "a truck")),
    ("a photo of a plane", "a grey plane in the sky", ("a grey plane in a blue sky", "a plane flies")),
    ("a photo of a car", "a blue car near a house", ("a blue car", "a car stands near a house")),
    ("a photo of a cat", "a black cat in a box", ("a black cat in a box", "a cat sits in a box")),
    ("a photo of a dog", "a white dog in the snow", ("a white dog in snow", "one dog in the snow")),
)


def offline(**altered: Any) -> Run:
    """A run of other models on other data than the brief's."""
    return _run(
        {
            "data_sets": data_sets(*CAPTIONED_CIFAR10),
            "zero_shot": zero_shot(0.63, ABOUT.model, *ABOUT.weights, is_clip=False),
            "align": aligned("EfficientNet-Lite0 + SmolLM2-135M", *PrefixCaptioner.weights),
            "lora": lora("EfficientNet-Lite0 + SmolLM2-135M", ("q_proj", "v_proj"), matched=60),
            "generate": generated(CAPTIONED_CIFAR10),
        },
        altered,
    )


def assignment(clip: float = 0.889, **altered: Any) -> Run:
    """A run of the brief's models on the brief's data, CLIP right on the share `clip` of the test images."""
    source = Source(name="lmms-lab/flickr30k, the first 110 rows of split test", revision="main")
    return _run(
        {
            "data_sets": data_sets(source),
            "zero_shot": zero_shot(clip, "CLIP ViT-B-32 (openai)", CLIP_B32, is_clip=True),
            "align": aligned(
                VIT_GPT2, Source(name=VIT_GPT2, revision="dc68f91c06a1" + "0" * 28, licence="apache-2.0")
            ),
            "lora": lora(VIT_GPT2, ("c_attn", "c_proj", "c_fc"), matched=84),
            "generate": generated((source,)),
        },
        altered,
    )


def own(**altered: Any) -> Run:
    """A run of the brief's models on a user's own photos and images."""
    models = assignment()
    return assignment(
        **{
            "data_sets": own_data(),
            "generate": there(models.generate).model_copy(update={"source": own_data().photos_source}),
        }
        | altered
    )


def nothing_from_outside() -> Run:
    """A run on generated data with random weights."""
    return offline(
        data_sets=data_sets(labels_sha256="0" * 64),
        zero_shot=zero_shot(0.25, "Random dual encoder", is_clip=False),
        align=aligned("Random encoder-decoder"),
        generate=generated(()),
    )


def own_data(**altered: Any) -> DataSets:
    """The data sets of `own`."""
    return data_sets(
        Source(name="photos of the folder flickr30k, captions from captions.csv"),
        images=DataSource(kind="folder", name="CIFAR-10", sha256="ab" * 32, files=60_000),
        photos=DataSource(kind="folder", name="flickr30k", sha256="cd" * 32, files=110),
        **altered,
    )


def _run(own: dict[str, Any], altered: dict[str, Any]) -> Run:
    """Complete the results with those that follow; `altered` replaces some by name, before that."""
    usual = {
        "cnn": trained("CNN", 0.92),
        "vit": trained("ViT", 0.81),
        "variants": variants(own["lora"]),
    } | own  # fmt: skip
    results = usual | altered
    results.setdefault("captions", _captions(results["generate"]))
    results.setdefault("ablations", _ablations(results["align"], results["generate"], results["variants"]))
    results.setdefault("evidence", _evidence(_judgeable(results, usual)))
    return run_of(results)


# Worlds share most results: what follows from the same ones is computed once.


@cache
def _captions(generated: Generated) -> CaptionComparison:
    config = CaptionsConfig(seed=0, resamples=100, example_quantiles=(0.0, 0.5, 1.0))
    return captions(config, {"generate": generated}, SILENT)


@cache
def _ablations(aligned: Aligned, generated: Generated, variants: Variants) -> Ablations:
    results = {"align": aligned, "generate": generated, "variants": variants}
    return ablations(AblationsConfig(seed=0, resamples=100), results, SILENT)


def _evidence(results: dict[str, Any]) -> Evidence:
    """Judge the results as the stage `evidence` does."""
    compared = (
        *_of_classifiers(*(results[stage] for stage in ("zero_shot", "vit", "cnn", "data_sets"))),
        *_of_captions(*(results[stage] for stage in ("align", "lora", "generate", "variants"))),
    )
    return judged(compared, results, declaring(results, DRAWS.resamples))


@cache
def _of_captions(
    aligned: Aligned, lora: Lora, generated: Generated, variants: Variants
) -> tuple[Comparison, ...]:
    return (
        *caption_comparisons(generated, DRAWS),
        *variant_comparisons(aligned, lora, generated, variants, DRAWS),
    )


@cache
def _of_classifiers(
    zero_shot: ZeroShot, vit: TrainedClassifier, cnn: TrainedClassifier, data: DataSets
) -> tuple[Comparison, ...]:
    classifiers = {"zero_shot": zero_shot, "vit": vit, "cnn": cnn}
    return tuple(classifier_comparisons(classifiers, data, DRAWS))


def _judgeable(results: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """The same results with classifiers that evidence accepts, whatever was planted in them."""
    data = results["data_sets"]
    fitting = {
        stage: (
            results[stage] if len(results[stage].predictions) == len(data.labels) else usual[stage]
        ).model_copy(update={"labels_sha256": data.labels_sha256})
        for stage in ("zero_shot", "vit", "cnn")
    }
    return results | fitting


def data_sets(*source: Source, **altered: Any) -> DataSets:
    images, photos = _kinds(source)
    return DataSets(
        images=DataSource(kind=images, name="CIFAR-10", sha256=None, files=None),
        photos=DataSource(kind=photos, name="lmms-lab/flickr30k", sha256=None, files=None),
        classes=CLASSES, labels=tuple(LABELS.tolist()),
        labels_sha256=hashlib.sha256(LABELS.astype(np.uint8).tobytes()).hexdigest(),
        train_images=45_000, validation_images=5_000, test_images=10_000, shared_images=0,
        shared_validation=0, photos_source=source, tuning_in_validation=(), evaluation_in_validation=(),
        tuning_names=tuple(f"train-{index}" for index in range(50)),
        evaluation_names=tuple(f"test-{index}" for index in range(len(WRITTEN))),
        shared_photos=0, repeated_tuning_photos=0, repeated_evaluation_photos=0,
        evaluation_captions=2 * len(WRITTEN), shared_references=0,
    ).model_copy(update=altered)  # fmt: skip


def _kinds(source: tuple[Source, ...]) -> tuple[str, str]:
    """The kinds of images and photos, of which the latter come from `source`."""
    if not source:
        return "generated", "generated"
    return "cifar10", "cifar10_captions" if source == CAPTIONED_CIFAR10 else "flickr30k"


@cache
def _classified(accuracy: float) -> dict[str, Any]:
    """What every classifier has: right on the first share `accuracy` of the test images."""
    places = np.arange(len(LABELS))
    predictions = np.where(places < round(accuracy * len(LABELS)), LABELS, (LABELS + 1) % len(CLASSES))
    return dict(
        **score(Predictions(predictions, np.full(len(LABELS), 0.9)), LABELS, CLASSES),
        parameters=1_000_000, precision="bf16", seconds=100.0, images_per_second=125.3,
    )  # fmt: skip


def zero_shot(accuracy: float, model: str, *weights: Source, is_clip: bool) -> ZeroShot:
    scores = _classified(accuracy)
    prompt_sets = tuple(
        PromptSet(
            name=f"{count} prompts", templates=("a photo of a {}.",) * count, top1=scores["top1"],
            predictions=scores["predictions"],
        )
        for count in (1, 18)
    )  # fmt: skip
    return ZeroShot(
        **scores, model=model, epochs=0, weights=weights, is_clip=is_clip, seen_labels="none",
        prompt_sets=prompt_sets, validation=(),
        adaptation="not adapted to unlabelled images", unlabelled_images=0, less_adapted=(), mistakes=(),
    )  # fmt: skip


def trained(model: str, accuracy: float, **altered: Any) -> TrainedClassifier:
    return TrainedClassifier(
        **_classified(accuracy), model=model, epochs=6, training_images=45_000, training_seconds=90.0,
        loss=(2.0, 1.0), validation=(), mistakes=(),
    ).model_copy(update=altered)  # fmt: skip


def aligned(model: str, *weights: Source) -> Aligned:
    return Aligned(
        model=model, weights=weights, precision="fp32", training="nothing", photos=0, steps=0, loss=(),
        right_class=wilson(320, HELD_OUT), held_out_labels=("cat",) * HELD_OUT,
        held_out_captions=held_out(0.8), parameters=239_195_904, tuned_parameters=152_806_656, seconds=1.0,
    )  # fmt: skip


def held_out(share: float) -> tuple[str, ...]:
    """Captions of held-out photos of which a share names the class."""
    right = round(share * HELD_OUT)
    return ("a cat",) * right + ("a dog",) * (HELD_OUT - right)


def lora(model: str, targets: tuple[str, ...], matched: int, **altered: Any) -> Lora:
    return Lora(
        model=model, r=32, alpha=64, dropout=0.0, epochs=8, learning_rate=3e-4, batch_size=10, seed=1,
        targets=targets, matched=matched, images=50, trainable=6_193_152, total=245_389_056,
        adapter_bytes=24_800_000, loss=(3.0, 2.0), seconds=38.3,
    ).model_copy(update=altered)  # fmt: skip


def generated(
    source: tuple[Source, ...],
    written: Sequence[tuple[str, str, tuple[str, ...]]] = WRITTEN,
    ended: bool = True,
) -> Generated:
    return Generated(
        source=source, classes=(), tuning_captions=("a dog on a hill",) * 50, max_new_tokens=32, beams=1,
        seconds=10.0,
        records=tuple(
            CaptionedRecord(
                name=f"test-{index}", index=index, label=None, references=references,
                before=before, after=after, before_ended=True, after_ended=ended,
                picture=Attachment(file=f"{index}.png", sha256=hashlib.sha256(bytes([index])).hexdigest()),
            )
            for index, (before, after, references) in enumerate(written)
        ),
    )  # fmt: skip


def variants(tuned: Lora, share: float = 0.6, off_is_base: bool = True) -> Variants:
    """The one variant that `tuned` is, naming the class on a share of the held-out photos."""
    adapter = TunedVariant(
        key="rank_32", name="LoRA, r = 32", kind="lora", rank=tuned.r, targets=tuned.targets,
        trainable=tuned.trainable, saved_bytes=tuned.adapter_bytes, loss=tuned.loss,
        learning_rate=tuned.learning_rate, seconds_per_step=None, peak_bytes=None,
        captions=tuple(Caption(text=after, ended=True) for _, after, _ in WRITTEN),
        held_out=held_out(share), off_is_base=off_is_base,
    )  # fmt: skip
    return Variants(variants=(adapter,), seconds=60.0)
