"""The captioning results in the repository: what they say follows from the captions that they hold."""

import hashlib
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.captioning.ablations import ablations as judge
from experiments.captioning.compare import captions
from experiments.captioning.scoring.class_words import names_class
from experiments.datasets.cifar10 import CLASSES
from experiments.project import open_project
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.captions import Comparison
from experiments.results.evidence import Evidence
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.variants import Variants
from experiments.statistics.intervals import wilson
from pipeline import store
from tests.support.contexts import SILENT
from tests.support.copies import ROOT

PROJECT = open_project("offline", ROOT)


def stored(stage: str) -> Any:
    return store.read(PROJECT, stage).value


@pytest.fixture(scope="module")
def aligned() -> Aligned:
    return stored("align")


@pytest.fixture(scope="module")
def lora() -> Lora:
    return stored("lora")


@pytest.fixture(scope="module")
def generated() -> Generated:
    return stored("generate")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return stored("captions")


@pytest.fixture(scope="module")
def ablations() -> Ablations:
    return stored("ablations")


def test_the_aligned_base_names_the_right_class_on_four_fifths_of_a_thousand_held_out_photos(
    aligned: Aligned,
) -> None:
    pairs = list(zip(aligned.held_out_captions, aligned.held_out_labels, strict=True))
    assert len(pairs) == 1000
    assert aligned.right_class == wilson(sum(names_class(*pair) for pair in pairs), 1000)
    assert aligned.right_class.value >= 0.8


def test_the_adapter_is_the_briefs(lora: Lora) -> None:
    assert (lora.r, lora.alpha, lora.epochs, lora.learning_rate) == (32, 64, 8, 3e-4)
    assert (lora.images, len(lora.loss)) == (50, 8)
    assert lora.loss[-1] < lora.loss[0]


def test_the_adapters_parameters_are_what_its_layers_shapes_give(lora: Lora, aligned: Aligned) -> None:
    """SmolLM2-135M: 30 blocks of width 576, keys and values of 192, a perceptron of 1536."""
    width, keys, inner = 576, 192, 1536
    pairs = [(width, width), (width, keys), (width, keys), (width, width)] + 3 * [(width, inner)]
    assert lora.matched == 30 * len(pairs)
    assert lora.trainable == 30 * lora.r * sum(one + other for one, other in pairs)
    assert lora.total == aligned.tuned_parameters + lora.trainable
    assert aligned.tuned_parameters == 134_515_008
    assert 4 * lora.trainable < lora.adapter_bytes < 4 * lora.trainable + 200_000


def test_every_evaluation_photo_has_its_captions_and_its_picture(generated: Generated) -> None:
    assert len(generated.records) == 60
    assert generated.classes == CLASSES
    assert len(generated.tuning_captions) == 50
    for record in generated.records:
        assert len(record.references) == 2
        assert record.before
        content = store.attachment_path(PROJECT, "generate", record.picture.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == record.picture.sha256
        assert Image.open(io.BytesIO(content)).size == (256, 256)


def test_no_caption_tuned_on_is_a_reference_of_an_evaluation_photo(generated: Generated) -> None:
    assert not {*generated.tuning_captions} & {
        text for record in generated.records for text in record.references
    }


def test_the_comparison_follows_from_the_captions(generated: Generated, comparison: Comparison) -> None:
    again = captions(PROJECT.profile.captions, {"generate": generated}, SILENT)
    assert again.records == comparison.records
    assert again.examples == comparison.examples
    for one, other in zip(again.measures, comparison.measures, strict=True):
        assert one.key == other.key
        for part in ("before", "after"):
            found, kept = getattr(one, part), getattr(other, part)
            assert [found.value, found.low, found.high] == pytest.approx([kept.value, kept.low, kept.high])


def test_style_moved_to_the_references(comparison: Comparison) -> None:
    evidence: Evidence = stored("evidence")
    assert evidence.tests["caption_distance"].verdict == "lower"
    assert comparison.changed > 50


def test_an_adapter_switched_off_is_the_base(ablations: Ablations, aligned: Aligned) -> None:
    assert ablations.off_is_base
    tuned: Variants = stored("variants")
    for variant in tuned.variants:
        assert len(variant.held_out) == 1000
        assert variant.held_out_off == (aligned.held_out_captions if variant.kind == "lora" else None)
    adapters = [variant for variant in ablations.variants if variant.kind == "lora"]
    assert {variant.rank for variant in adapters} == {1, 4, 8, 32}
    assert all(variant.held_out_off == aligned.right_class for variant in adapters)


def test_the_ablations_follow_from_the_captions_of_the_variants(
    ablations: Ablations, aligned: Aligned, generated: Generated
) -> None:
    inputs = {"align": aligned, "generate": generated, "variants": stored("variants")}
    again = judge(PROJECT.profile.ablations, inputs, SILENT)
    for one, other in zip(again.variants, ablations.variants, strict=True):
        assert (one.key, one.held_out, one.last_loss) == (other.key, other.held_out, other.last_loss)
        for part in ("length", "distance", "right_class", "right_colour", "ended"):
            assert getattr(one, part).value == pytest.approx(getattr(other, part).value)


def test_the_ablations_agree_with_the_other_stages_where_they_overlap(
    ablations: Ablations, aligned: Aligned, lora: Lora, generated: Generated
) -> None:
    variants = {variant.key: variant for variant in ablations.variants}
    assert variants["base"].held_out == aligned.right_class
    tuned = variants[f"rank_{lora.r}"]
    assert (tuned.trainable, tuned.saved_bytes, tuned.last_loss) == (
        lora.trainable,
        lora.adapter_bytes,
        lora.loss[-1],
    )
    for key, when in (("base", "before"), (tuned.key, "after")):
        right = [names_class(getattr(record, when), record.label or "") for record in generated.records]
        estimate = variants[key].right_class
        assert estimate is not None
        assert estimate.value == pytest.approx(np.mean(right))
    assert variants["full"].trainable == aligned.tuned_parameters


def test_a_variants_parameters_rise_with_its_rank(ablations: Ablations) -> None:
    ranks = {variant.rank: variant for variant in ablations.variants if variant.key.startswith("rank_")}
    assert ranks[4].trainable == 4 * ranks[1].trainable
    assert ranks[8].trainable == 8 * ranks[1].trainable
    attention = next(variant for variant in ablations.variants if variant.key == "attention")
    assert attention.trainable < ranks[32].trainable
