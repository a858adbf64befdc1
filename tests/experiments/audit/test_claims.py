from typing import Any

import pytest

from experiments.audit import brief
from experiments.audit.audit import audited
from experiments.audit.claims import distinct
from experiments.audit.published import anchors
from experiments.audit.run import Run
from experiments.results.audit import Audit, AuditedClaim, Shared
from experiments.results.data_sets import DataSource
from pipeline.result import Estimate
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import SIZES, assignment, offline, own

ALWAYS = {
    "layer_kinds": ("differs", "both_kinds"),
    "lora_trainable": ("differs", "c_attn_alone"),
    "base_parameters": ("differs", "language_model_alone"),
    "lora_share": ("differs", "c_attn_alone"),
    "adapter_size": ("differs", "c_attn_alone"),
    "examples": ("differs", "repeated"),
    "caption_quality": ("differs", "faulty"),
    "trained_for_it": ("differs", "at_chance"),
}
"""What follows from the brief itself and the architecture it names."""


def audit(run: Run) -> Audit:
    return audited(run, SIZES, tolerance=0.01)


def claim(run: Run, name: str) -> AuditedClaim:
    return audit(run).claims[name]


def verdict(run: Run, name: str) -> tuple[str, str]:
    found = claim(run, name)
    return found.verdict, found.reason


@pytest.mark.parametrize("world", [offline, assignment])
@pytest.mark.parametrize(("name", "expected"), ALWAYS.items())
def test_what_follows_from_the_brief_itself_is_the_same_in_every_run(
    world: Any, name: str, expected: tuple[str, str]
) -> None:
    assert verdict(world(), name) == expected


@pytest.mark.parametrize("world", [offline, assignment])
def test_every_statement_of_the_brief_has_a_claim_with_its_words(world: Any) -> None:
    result = audit(world())
    assert list(result.claims) == list(brief.STATEMENTS)
    assert all(claim.id == name for name, claim in result.claims.items())
    assert sum(result.verdicts.values()) == len(result.claims)
    assert Audit.model_validate_json(result.model_dump_json()) == result
    assert all(name.isidentifier() for name in (*result.claims, *result.published, *result.checks))


def test_the_adapters_figures_are_derived_for_both_readings_of_the_brief() -> None:
    claims = audit(offline()).claims
    assert claims["lora_trainable"].found == 6_193_152
    assert claims["lora_trainable"].derived["trainable_c_attn"] == 2_064_384
    share = claims["lora_share"].derived
    assert round(100 * share["share_of_gpt2_named"], 2) == 4.98
    assert round(100 * share["share_of_all_named"], 2) == 2.52
    assert round(100 * share["share_of_gpt2_c_attn"], 2) == 1.66
    assert round(100 * share["share_of_gpt2_with_c_attn"], 2) == 1.63
    assert round(100 * share["share_of_all_c_attn"], 2) == 0.86
    size = claims["adapter_size"]
    assert (size.found, size.derived["bytes_c_attn"]) == (24_772_608, 8_257_536)


def test_an_architecture_that_fits_the_brief_agrees_with_it() -> None:
    from dataclasses import replace

    fitting = replace(SIZES, whole=124_000_000, gpt2=124_000_000, named=2_000_000, c_proj_mlp=0)
    claims = audited(offline(), fitting, tolerance=0.01).claims
    for name in ("lora_trainable", "lora_share", "adapter_size", "base_parameters", "layer_kinds"):
        assert claims[name].verdict == "agrees", name


def test_layers_of_the_same_names_are_the_same_setting_in_any_captioner() -> None:
    same = worlds.lora("another", ("c_attn", "c_proj", "c_fc"), 30)
    assert verdict(offline(lora=same), "lora_targets") == ("agrees", "same_setting")
    assert offline(lora=same).shared.captioner is False


NOT_COMPARABLE = (
    "data_set", "lora_targets", "training_time", "visible_difference", "closer_to_style", "clip_accuracy",
    "zero_shot_speed", "vit_accuracy", "cnn_accuracy", "ordering",
)  # fmt: skip


@pytest.mark.parametrize("name", NOT_COMPARABLE)
def test_other_models_and_data_are_not_compared_with_the_brief_but_shown(name: str) -> None:
    found = claim(offline(), name)
    assert found.verdict == "not_comparable"
    assert found.found is not None or found.found_text


def test_options_are_compared_whatever_the_model() -> None:
    names = ("tuning_photos", "lora_rank", "lora_alpha", "epochs", "learning_rate")
    assert all(verdict(offline(), name) == ("agrees", "same_setting") for name in names)
    lora = worlds.lora("another", ("q_proj",), 30, r=8, alpha=16, epochs=3, learning_rate=1e-4, images=20)
    other = offline(lora=lora)
    assert all(verdict(other, name) == ("differs", "other_setting") for name in names)


def test_the_briefs_own_setting_makes_its_claims_comparable() -> None:
    run = assignment()
    for name in ("data_set", "lora_targets", "visible_difference", "closer_to_style", "clip_accuracy"):
        assert claim(run, name).verdict == "agrees", name
    assert verdict(run, "training_time") == ("not_comparable", "other_machine")
    assert verdict(run, "zero_shot_speed") == ("not_comparable", "other_machine")


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.889, ("agrees", "within_tolerance")),
        (0.60, ("differs", "outside_tolerance")),
        (0.95, ("differs", "outside_tolerance")),
        (0.899, ("cannot_tell", "at_the_edge")),
    ],
)
def test_clip_is_held_against_the_briefs_figure_by_its_interval(
    accuracy: float, expected: tuple[str, str]
) -> None:
    assert verdict(assignment(clip=accuracy), "clip_accuracy") == expected


def test_clip_with_other_weights_or_on_other_images_is_not_compared() -> None:
    weights = worlds.zero_shot(0.889, "CLIP ViT-B-16 (openai)", "open_clip ViT-B-16, openai", is_clip=True)
    assert verdict(assignment(zero_shot=weights), "clip_accuracy") == ("not_comparable", "other_model")
    images = worlds.data_sets("Flickr30k", labels_sha256="0" * 64)
    assert verdict(assignment(data_sets=images), "clip_accuracy") == ("not_comparable", "other_model")
    assert verdict(assignment(data_sets=images), "test_images") == ("not_comparable", "other_images")


@pytest.mark.parametrize(
    "bracket",
    [
        "timm/vit_base_patch32_clip_224.openai at revision 0123abc",
        "local copy ViT-B-32.pt, sha256 0123456789abcdef",
    ],
)
def test_where_the_briefs_weights_were_found_does_not_make_them_others(bracket: str) -> None:
    name = f"open_clip ViT-B-32, openai ({bracket})"
    run = assignment(zero_shot=worlds.zero_shot(0.889, "CLIP ViT-B-32 (openai)", name, is_clip=True))
    assert verdict(run, "clip_accuracy") == ("agrees", "within_tolerance")
    assert run.shared.zero_shot
    bare = assignment(clip=0.889)
    assert anchors(run, 0.01) == anchors(bare, 0.01)
    assert any(anchor.reason == "very_weights" for anchor in anchors(run, 0.01).values())


def test_a_users_own_data_are_not_the_briefs_whatever_their_folders_are_called() -> None:
    run = own()
    assert (run.is_flickr30k, run.is_cifar10) == (False, False)
    assert verdict(run, "data_set") == ("not_comparable", "other_data")
    assert verdict(run, "test_images") == ("not_comparable", "other_images")
    for name in ("visible_difference", "closer_to_style", "clip_accuracy", "ordering", "training_time"):
        assert claim(run, name).verdict == "not_comparable", name
    assert run.shared == Shared(captioner=True, targets=True, photos=False, zero_shot=True, images=False)


@pytest.mark.parametrize(("name", "expected"), ALWAYS.items())
def test_what_follows_from_the_brief_itself_stands_beside_a_users_own_data(
    name: str, expected: tuple[str, str]
) -> None:
    assert verdict(own(), name) == expected


def test_a_copy_of_the_photos_that_nothing_checks_settles_nothing() -> None:
    copy = DataSource(kind="flickr30k", name="flickr30k", sha256="ab" * 32, files=9)
    source = "The first 110 rows of split test of the folder flickr30k"
    run = assignment(data_sets=worlds.data_sets(source, photos=copy))
    assert verdict(run, "data_set") == ("cannot_tell", "unchecked_copy")
    assert not run.is_the_briefs_tuning
    elsewhere = DataSource(kind="flickr30k", name="someone/flickr30k", sha256=None, files=None)
    assert verdict(assignment(data_sets=worlds.data_sets(source, photos=elsewhere)), "data_set") == (
        "not_comparable", "other_data",
    )  # fmt: skip


def test_the_order_of_the_models_agrees_differs_or_is_not_settled() -> None:
    assert verdict(assignment(), "ordering") == ("differs", "other_order")
    weak: dict[str, Any] = {"vit": worlds.trained("ViT", 0.7), "cnn": worlds.trained("CNN", 0.6)}
    assert verdict(assignment(**weak), "ordering") == ("agrees", "same_order")
    close: dict[str, Any] = weak | {"cnn": worlds.trained("CNN", 0.6997)}
    assert verdict(assignment(**close), "ordering") == ("cannot_tell", "unsettled")


def test_captions_that_did_not_change_are_said_to_differ_from_the_brief() -> None:
    source = assignment().generate.source
    written = [(after, after, references) for _, after, references in worlds.WRITTEN[:1]]
    run = assignment(generate=worlds.generated(source, (*written, *worlds.WRITTEN[1:])))
    assert verdict(run, "visible_difference") == ("differs", "some_unchanged")


def test_captions_that_came_no_closer_to_the_references_are_said_so() -> None:
    source = assignment().generate.source
    swapped = [(after, before, references) for before, after, references in worlds.WRITTEN]
    run = assignment(generate=worlds.generated(source, swapped))
    assert verdict(run, "closer_to_style") == ("differs", "further")
    same = [(after, after, references) for _, after, references in worlds.WRITTEN]
    run = assignment(generate=worlds.generated(source, same))
    assert verdict(run, "closer_to_style") == ("cannot_tell", "unclear")
    assert verdict(offline(), "closer_to_style") == ("not_comparable", "other_tuning_closer")


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.6, ("differs", "lost_when_on")),
        (0.8, ("cannot_tell", "unclear_when_on")),
        (0.9, ("agrees", "gained_when_on")),
    ],
)
def test_forgetting_is_tested_with_the_adapter_on(share: float, expected: tuple[str, str]) -> None:
    run = offline()
    assert verdict(offline(variants=worlds.variants(run.lora, share)), "no_forgetting") == expected


def test_a_base_that_an_adapter_changed_contradicts_the_brief_whatever_is_remembered() -> None:
    run = offline(variants=worlds.variants(offline().lora, 0.9, off_is_base=False))
    assert verdict(run, "no_forgetting") == ("differs", "base_changed")


def test_without_the_tuned_variant_forgetting_is_told_of_the_base_alone() -> None:
    other = worlds.variants(worlds.lora("another", ("k_proj",), 30))
    assert verdict(offline(variants=other), "no_forgetting") == ("cannot_tell", "base_alone")


def test_the_briefs_cnn_is_held_against_guessing_by_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    own = claim(offline(), "trained_for_it").found
    assert isinstance(own, Estimate)
    assert own.low < 0.1 < own.high
    for figure, expected in ((0.12, ("agrees", "above_chance")), (0.05, ("differs", "below_chance"))):
        monkeypatch.setattr(brief, "CNN", figure)
        assert verdict(offline(), "trained_for_it") == expected


def test_the_briefs_ten_examples_are_five_and_all_five_tuned_captions_are_at_fault() -> None:
    assert (len(brief.EXAMPLES), len(distinct(brief.EXAMPLES))) == (10, 5)
    assert distinct(brief.EXAMPLES) == list(brief.EXAMPLES[::2])
    derived = claim(offline(), "caption_quality").derived
    assert derived == {
        "part": 5, "whole": 5, "cut_off": 4, "rambling": 5, "repeating": 0, "references_at_fault": 0,
    }  # fmt: skip
