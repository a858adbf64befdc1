"""The captioning results in the repository: what they say follows from the captions that they hold."""

import hashlib
import io
from dataclasses import dataclass, fields

import numpy as np
import pytest
from PIL import Image

from experiments.captioning import ablations, compare
from experiments.captioning.scoring.class_words import names_class
from experiments.config.comparison import AblationsConfig, CaptionsConfig
from experiments.datasets.cifar10 import CLASSES
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.captions import Comparison
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.variants import Variants
from experiments.statistics.intervals import wilson
from pipeline import store
from tests.support.committed import PROJECT, committed, recomputed


@dataclass(frozen=True)
class Run:
    """The results by stage."""

    align: Aligned
    lora: Lora
    generate: Generated
    captions: Comparison
    variants: Variants
    ablations: Ablations


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(**{field.name: committed(field.name).value for field in fields(Run)})


def test_the_aligned_base_names_the_right_class_on_four_fifths_of_held_out_photos(
    run: Run,
) -> None:
    pairs = list(zip(run.align.held_out_captions, run.align.held_out_labels, strict=True))
    assert len(pairs) == 1000
    assert run.align.right_class == wilson(sum(names_class(*pair) for pair in pairs), 1000)
    assert run.align.right_class and run.align.right_class.value >= 0.8


def test_the_adapter_is_the_briefs(run: Run) -> None:
    assert (run.lora.r, run.lora.alpha, run.lora.epochs, run.lora.learning_rate) == (32, 64, 8, 3e-4)
    assert (run.lora.images, len(run.lora.loss)) == (50, 8)
    assert run.lora.loss[-1] < run.lora.loss[0]


def test_the_adapters_parameters_are_what_its_layers_shapes_give_and_rise_with_its_rank(run: Run) -> None:
    """SmolLM2-135M: 30 blocks of width 576, keys and values of 192, a perceptron of 1536."""
    width, keys, inner = 576, 192, 1536
    attention = [(width, width), (width, keys), (width, keys), (width, width)]
    pairs = attention + 3 * [(width, inner)]
    assert run.lora.matched == 30 * len(pairs)
    assert run.lora.trainable == 30 * run.lora.r * sum(one + other for one, other in pairs)
    assert run.lora.total == run.align.tuned_parameters + run.lora.trainable
    assert run.align.tuned_parameters == 134_515_008
    assert 4 * run.lora.trainable < run.lora.adapter_bytes < 4 * run.lora.trainable + 200_000
    for variant in run.ablations.variants:
        if variant.rank:
            shapes = attention if variant.key == "attention" else pairs
            assert variant.trainable == 30 * variant.rank * sum(one + other for one, other in shapes)


def test_every_evaluation_photo_has_its_captions_and_its_picture_and_none_was_tuned_on(run: Run) -> None:
    assert len(run.generate.records) == 60
    assert run.generate.classes == CLASSES
    assert len(run.generate.tuning_captions) == 50
    for record in run.generate.records:
        assert len(record.references) == 2
        assert not {*run.generate.tuning_captions} & {*record.references}
        assert record.before
        content = store.attachment_path(PROJECT, "generate", record.picture.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == record.picture.sha256
        assert Image.open(io.BytesIO(content)).size == (256, 256)


def test_the_comparison_follows_from_the_captions(run: Run) -> None:
    again = recomputed("captions", compare.captions, CaptionsConfig)
    assert again.records == run.captions.records
    assert again.examples == run.captions.examples
    for one, other in zip(again.measures, run.captions.measures, strict=True):
        assert one.key == other.key
        for part in ("before", "after"):
            found, kept = getattr(one, part), getattr(other, part)
            assert [found.value, found.low, found.high] == pytest.approx([kept.value, kept.low, kept.high])


def test_style_moved_to_the_references(run: Run) -> None:
    assert committed("evidence").value.tests["caption_distance"].verdict == "lower"
    assert run.captions.changed > 50


def test_an_adapter_switched_off_is_the_base(run: Run) -> None:
    assert run.ablations.off_is_base
    for variant in run.variants.variants:
        assert len(variant.held_out) == 1000
    adapters = [variant for variant in run.ablations.variants if variant.kind == "lora"]
    assert {variant.rank for variant in adapters} == {1, 4, 8, 32}


def test_the_ablations_follow_from_the_captions_of_the_variants(run: Run) -> None:
    again = recomputed("ablations", ablations.ablations, AblationsConfig)
    for one, other in zip(again.variants, run.ablations.variants, strict=True):
        assert (one.key, one.held_out, one.last_loss) == (other.key, other.held_out, other.last_loss)
        for part in ("length", "distance", "right_class", "right_colour", "ended"):
            assert getattr(one, part).value == pytest.approx(getattr(other, part).value)


def test_the_ablations_agree_with_the_other_stages_where_they_overlap(run: Run) -> None:
    variants = {variant.key: variant for variant in run.ablations.variants}
    assert variants["base"].held_out == run.align.right_class
    tuned = variants[f"rank_{run.lora.r}"]
    found = (tuned.trainable, tuned.saved_bytes, tuned.last_loss)
    assert found == (run.lora.trainable, run.lora.adapter_bytes, run.lora.loss[-1])
    for key, when in (("base", "before"), (tuned.key, "after")):
        right = [names_class(getattr(record, when), record.label or "") for record in run.generate.records]
        estimate = variants[key].right_class
        assert estimate is not None
        assert estimate.value == pytest.approx(np.mean(right))
    assert variants["full"].trainable == run.align.tuned_parameters
