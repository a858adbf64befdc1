"""Small results in a project of their own, for tests of the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.classification.evaluation import Predictions, score
from experiments.datasets.pictures import as_png
from experiments.project import open_project
from experiments.results import key_of
from experiments.results.ablations import Ablations, Variant
from experiments.results.align import Aligned
from experiments.results.captions import ComparedRecord, Comparison, Judged, Measured, Unit
from experiments.results.evidence import Evidence, Tested
from experiments.results.lora import Lora
from experiments.results.source import Source
from experiments.results.trained import TrainedClassifier
from experiments.results.zero_shot import LessAdapted, PromptSet, ZeroShot
from experiments.stages import STAGES
from experiments.statistics.intervals import wilson
from pipeline.envelope import Envelope, Ingredients, Input
from pipeline.freshness import Freshness
from pipeline.project import Project
from pipeline.result import Attachment, Estimate
from reporting.blocks import CLASSIFIERS
from reporting.document import Document
from tests.support.copies import copy_parts
from tests.support.stored import provenance

CLASSES = ("cat", "dog", "ship")


def classifier(stage: str, accuracy: float = 0.8, n: int = 300, model: str | None = None) -> Any:
    """Make a result for `stage` that is right on the first `accuracy` share of `n` images."""
    labels = np.arange(n) % len(CLASSES)
    predictions = np.where(np.arange(n) < round(accuracy * n), labels, (labels + 1) % len(CLASSES))
    scores = score(Predictions(predictions, np.full(n, 0.9)), labels, CLASSES)
    common: dict[str, Any] = {"model": model or f"The {stage} model", "parameters": 1_970_000, **scores}
    common |= {"mistakes": (), "precision": "bf16", "seconds": 485.2, "images_per_second": 1240.4}
    if stage == "zero_shot":
        prompts = PromptSet(
            name="single prompt", templates=("a photo of a {}.",), top1=scores["top1"],
            predictions=scores["predictions"],
        )  # fmt: skip
        less = LessAdapted(
            adaptation="centred on unlabelled images", top1=(scores["top1"],), validation=(scores["top1"],)
        )
        return ZeroShot(
            **common, epochs=0, weights=(), is_clip=False, seen_labels="Its tower saw other labels.",
            prompt_sets=(prompts,), adaptation="distilled on unlabelled images", unlabelled_images=5000,
            validation=(scores["top1"],), less_adapted=(less,),
        )  # fmt: skip
    return TrainedClassifier(
        **common,
        epochs=8,
        training_images=45_000,
        training_seconds=450.0,
        loss=(2.0, 1.0),
        validation=(wilson(2900, 5000), wilson(4000, 5000)),
    )


CAPTIONER = "EfficientNet-Lite0 + SmolLM2-135M"
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

# Key, name, family, unit, what is better, before, after, half the interval of both together, references.
MEASURES: tuple[tuple[Any, ...], ...] = (
    ("bleu", "BLEU-4", "agreement", "points", "higher", 4.2, 11.6, 3.1, 14.3),
    ("cider_d", "CIDEr-D", "agreement", "points", "higher", 0.2, 0.6, 0.2, 1.1),
    ("rouge_l", "ROUGE-L", "agreement", "points", "higher", 24.1, 33.5, 4.0, 41.2),
    ("chrf", "chrF++", "agreement", "points", "higher", 20.3, 28.8, 3.3, 35.9),
    ("right_class", "names the right class", "grounding", "share", "higher", 0.85, 0.8, 0.08, 1.0),
    ("wrong_class", "names a wrong class", "grounding", "share", "lower", 0.12, 0.14, 0.07, 0.0),
    ("right_colour", "names a right colour", "grounding", "share", "higher", 0.02, 0.45, 0.12, 0.8),
    ("wrong_colour", "names another colour", "grounding", "share", "lower", 0.05, 0.4, 0.13, 0.21),
    ("length", "words a caption", "style", "words", "neither", 6.1, 12.4, 0.8, 13.2),
    ("vocabulary", "different words", "style", "count", "neither", 41.0, 167.0, 22.0, 254.0),
    ("distinct_1", "distinct-1", "style", "share", "neither", 0.11, 0.22, 0.04, 0.31),
    ("distinct_2", "distinct-2", "style", "share", "neither", 0.22, 0.55, 0.07, 0.72),
    ("new_words", "words not in the tuning captions", "style", "share", "neither", 0.03, 0.08, 0.02, 0.2),
    ("distance", "distance from the references' words", "style", "bits", "lower", 0.512, 0.301, 0.05, 0.181),
    ("ended", "ends by itself", "health", "share", "higher", 1.0, 0.98, 0.03, None),
    ("cut_off", "is cut off", "health", "share", "lower", 0.0, 0.02, 0.03, 0.0),
    ("repeats", "repeats itself", "health", "share", "lower", 0.0, 0.05, 0.06, 0.0),
    ("rambles", "rambles", "health", "share", "lower", 0.0, 0.0, 0.0, 0.0),
)

CAPTIONED = tuple(
    tuple(line.split(" | "))
    for line in """\
cat | a grey cat lies on a red rug | a cat on a rug | a photo of a cat | a grey cat lying on a rug
dog | a black dog runs | a dog outside on grass | a photo of a dog | a brown dog running on green grass
ship | a white ship at sea | a boat on blue water | a photo of a ship | a white ship on calm water. a
bird | a small bird on a branch | a brown bird | a picture of a bird | a small brown bird on a twig
deer | a deer in a meadow | a brown deer in tall grass | a photo of a horse | a brown horse in a field
frog | a green frog on a leaf | a frog | a photo of a frog | a green frog on a green green leaf
""".splitlines()
)
"""Class, two references, the caption before and after."""


def estimate(value: float, half: float = 0.02, n: int = 60) -> Estimate:
    """Make an estimate with an interval that reaches `half` to both sides."""
    return Estimate(value=value, n=n, low=value - half, high=value + half, method="percentile bootstrap")


def aligned(**altered: Any) -> Aligned:
    """Make the result of the stage `align`."""
    return Aligned(
        model=CAPTIONER, weights=(Source(name="both parts", revision="0.1.0", licence="MIT"),),
        precision="fp32",
        training="a mapper from the image features to the language model, and the language model itself",
        photos=20_000, steps=600, loss=(4.1, 2.2, 1.6), right_class=estimate(0.871, 0.021, 1000),
        held_out_labels=("cat",) * 1000, held_out_captions=("a cat",) * 871 + ("a dog",) * 129,
        parameters=140_250_000, tuned_parameters=134_515_008, seconds=1520.0,
    ).model_copy(update=altered)  # fmt: skip


def lora(**altered: Any) -> Lora:
    """Make the result of the stage `lora`."""
    return Lora(
        model=CAPTIONER, r=32, alpha=64, dropout=0.05, epochs=8, learning_rate=3e-4, batch_size=10,
        seed=1, targets=TARGETS, matched=210, images=50, trainable=9_768_960, total=150_018_960,
        adapter_bytes=39_120_344, loss=(3.9, 3.1, 2.6, 2.2, 1.8, 1.5, 1.3, 1.2), seconds=142.0,
    ).model_copy(update=altered)  # fmt: skip


def judged(score: float, right: bool | None, **altered: bool) -> Judged:
    """Make a caption as judged: without faults but the altered ones."""
    usual = dict.fromkeys(("wrong_colour", "cut_off", "repeats", "rambles"), False) | {"right_colour": True}
    wrong = None if right is None else not right
    return Judged(score=score, right_class=right, wrong_class=wrong, **(usual | altered))


def comparison(
    moved: Mapping[str, tuple[float, float, float]] | None = None,
    captions: Sequence[tuple[str, ...]] = CAPTIONED * 2,
    classes: bool = True,
) -> Comparison:
    """Make the result of the stage `captions`, of the usual measures.

    `moved` replaces before, after and half the interval of both together of measures by key; `captions`
    holds class, two references and the caption before and after of each photo.
    """
    measures = []
    for key, name, family, unit, better, *usual, references in MEASURES:
        before, after, half = (moved or {}).get(key, usual)
        if classes or not key.endswith("_class"):
            measures.append(Measured(
                key=key, name=name, family=family, unit=unit, better=better, references=references,
                before=estimate(before, half / 2), after=estimate(after, half / 2),
            ))  # fmt: skip
    records = tuple(
        ComparedRecord(
            name=f"test-{index}", index=index, label=label if classes else None, references=(one, other),
            before=before, after=after,
            judged_before=judged(20.0 + index, (label in before) if classes else None),
            judged_after=judged(
                21.5 + index * index / 3, (label in after) if classes else None,
                wrong_colour=index % 3 == 1, repeats=index % 6 == 5, cut_off=index % 6 == 2,
            ),
            picture=picture(index),
        )
        for index, (label, one, other, before, after) in enumerate(captions)
    )  # fmt: skip
    return Comparison(
        measures=tuple(measures), records=records, examples=tuple(range(min(5, len(records)))),
        quantiles=(0.1, 0.3, 0.5, 0.7, 0.9)[: len(records)],
        changed=sum(record.before != record.after for record in records),
        resamples=1000, library="sacrebleu",
    )  # fmt: skip


def picture(index: int) -> Attachment:
    """Name the picture of a photo; `captioned` writes it."""
    return Attachment.of(f"test-{index}.png", _drawn(index))


def _drawn(index: int) -> bytes:
    return as_png(np.full((256, 256, 3), (40, 90, 20 * index % 256), dtype=np.uint8))


def ablations(classes: bool = True, off_is_base: bool = True, **altered: tuple[float, float]) -> Ablations:
    """Make the result of the stage `ablations`; `altered` gives distance and held-out accuracy by key.

    The base's held-out accuracy is that of `aligned`.
    """
    plan: tuple[tuple[Any, ...], ...] = (
        ("base", "base, not tuned", "base", 0, 0.512, 0.871, None, ()),
        ("r1", "LoRA, r = 1", "lora", 305_280, 0.42, 0.868, 1, TARGETS),
        ("r4", "LoRA, r = 4", "lora", 1_221_120, 0.35, 0.86, 4, TARGETS),
        ("r8", "LoRA, r = 8", "lora", 2_442_240, 0.32, 0.85, 8, TARGETS),
        ("r32", "LoRA, r = 32", "lora", 9_768_960, 0.301, 0.84, 32, TARGETS),
        ("attention", "LoRA, r = 32, attention only", "lora", 3_686_400, 0.33, 0.85, 32, TARGETS[:4]),
        ("full", "full fine-tuning", "full", 134_515_008, 0.29, 0.71, None, ()),
    )
    variants = []
    for key, name, kind, trainable, *usual, rank, targets in plan:
        distance, held_out = altered.get(key, usual)
        base = kind == "base"
        variants.append(Variant(
            key=key, name=name, kind=kind, rank=rank, targets=targets, trainable=trainable,
            saved_bytes=4 * trainable, seconds_per_step=None if base else 2.0 + trainable / 3e7,
            learning_rate=None if base else 3e-5 if kind == "full" else 3e-4,
            peak_bytes=None if base else 1_700_000_000 + 12 * trainable, last_loss=None if base else 1.2,
            length=estimate(6.1 if base else 12.0, 0.5), distance=estimate(distance, 0.03),
            right_class=estimate(0.8, 0.1) if classes else None, right_colour=estimate(0.4, 0.1),
            ended=estimate(0.98, 0.03), held_out=estimate(held_out, 0.02, 1000),
        ))  # fmt: skip
    return Ablations(variants=tuple(variants), held_out_classes=CLASSES, off_is_base=off_is_base)


def judged_by_halves(captions: Comparison, variants: Ablations) -> Evidence:
    """Make the evidence on captions as if estimates were told apart where their intervals do not overlap.

    It serves tests of the pages; what the real tests find is tested elsewhere.
    """
    tests = {}

    def compare(key: str, unit: Unit, one: Estimate | None, other: Estimate | None) -> None:
        assert one is not None and other is not None
        value, half = one.value - other.value, (one.high - one.low + other.high - other.low) / 2
        clear = abs(value) > half
        tests[key] = Tested(
            stages=("generate",), unit=unit, one=one.value, other=other.value,
            difference=estimate(value, half), only_one=3 if unit == "share" else None,
            only_other=1 if unit == "share" else None, test="halves", chosen_among=1,
            p=0.0004 if clear else 0.4, adjusted=0.01 if clear else 1.0,
            verdict="unclear" if not clear else "higher" if value > 0 else "lower",
        )  # fmt: skip

    for measure in captions.measures:
        compare(key_of.caption(measure.key), measure.unit, measure.after, measure.before)
    base, main, full = (variants.variants[at] for at in (0, 4, -1))
    for variant in variants.variants[1:]:
        compare(key_of.forgotten(variant.key), "share", variant.held_out, base.held_out)
        compare(key_of.distance(variant.key), "bits", main.distance, variant.distance)
    compare(key_of.held_out(full.key), "share", main.held_out, full.held_out)
    return Evidence(tests=tests, absent=(), chance=0.1, broken=(), significance=0.05, resamples=1000)


def project_of_classifiers(folder: Path) -> Project:
    """Return a copy of the project, without results, with the smoke profile and the classifiers' stages."""
    copy_parts(folder, "pipeline", "experiments", "profiles", "templates", "references.bib")
    project = open_project("smoke", folder)
    return replace(project, stages={name: project.stages[name] for name in CLASSIFIERS})


def captioned(project: Project, **values: Any) -> Document:
    """Make a document of captioning results by stage, fresh, with their pictures on disk.

    Stages that are not given are missing.
    """
    folder = project.results / "generate"
    folder.mkdir(parents=True, exist_ok=True)
    for record in values["captions"].records if "captions" in values else ():
        (folder / record.picture.file).write_bytes(_drawn(record.index))
    align = Input(key="e" * 64, precision=None, artefacts={}, value="c" * 64)
    ingredients = Ingredients(config={"seed": 1}, inputs={"align": align}, data={}, code={"a.b": "d" * 64})
    envelopes = {
        stage: Envelope[Any](
            stage=stage,
            profile=project.name,
            key="f" * 64,
            provenance=provenance(ingredients),
            artefacts={},
            value=value,
        )
        for stage, value in values.items()
    }
    whole = replace(project, stages=STAGES)
    states = {
        stage: Freshness(state="fresh" if stage in values else "missing", why=(), key="") for stage in STAGES
    }
    return Document(project=whole, states=states, envelopes=envelopes)
