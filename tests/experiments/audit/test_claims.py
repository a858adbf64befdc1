from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from experiments.audit import brief
from experiments.audit.audit import audited
from experiments.audit.claims import distinct
from experiments.audit.lora_arithmetic import lora_arithmetic
from experiments.audit.published import anchors
from experiments.audit.run import Run
from experiments.results.audit import Audit, AuditedClaim, Shared
from experiments.results.data_sets import DataSource
from experiments.results.source import Source
from pipeline.result import Estimate
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import SIZES, assignment, offline, own

ALWAYS = {
    "layer_kinds": "both_kinds",
    "lora_trainable": "c_attn_alone",
    "base_parameters": "language_model_alone",
    "lora_share": "c_attn_alone",
    "adapter_size": "c_attn_alone",
    "examples": "repeated",
    "caption_quality": "faulty",
    "trained_for_it": "at_chance",
}
"""What follows from the brief itself and the architecture it names."""

OPTIONS = ("tuning_photos", "lora_rank", "lora_alpha", "epochs", "learning_rate")


def audit(run: Run) -> Audit:
    return audited(run, SIZES, tolerance=0.01)


def claim(run: Run, name: str) -> AuditedClaim:
    return audit(run).claims[name]


def with_lora(targets: tuple[str, ...], **altered: Any) -> Run:
    return offline(lora=worlds.lora("another", targets, 30, **altered))


def with_variants(share: float, off_is_base: bool = True) -> Run:
    return offline(variants=worlds.variants(offline().lora, share, off_is_base))


def without_the_main_variant() -> Run:
    return offline(variants=worlds.variants(worlds.lora("another", ("k_proj",), 30)))


def with_captions(written: list[tuple[str, str, tuple[str, ...]]]) -> Run:
    return assignment(generate=worlds.generated(assignment().generate.source, written))


def with_photos(**source: Any) -> Run:
    photos = DataSource(kind="flickr30k", **source)
    return assignment(
        data_sets=worlds.data_sets(Source(name="the first 110 rows of some folder"), photos=photos)
    )


def unchecked_copy() -> Run:
    return with_photos(name="flickr30k", sha256="ab" * 32, files=9)


def with_clip(name: str, **found: str) -> Run:
    source = Source(name=name, **found)
    return assignment(zero_shot=worlds.zero_shot(0.889, "CLIP (openai)", source, is_clip=True))


def on_other_images() -> Run:
    return assignment(data_sets=worlds.data_sets(Source(name="Flickr30k"), labels_sha256="0" * 64))


def with_trained(vit: float, cnn: float) -> Run:
    return assignment(vit=worlds.trained("ViT", vit), cnn=worlds.trained("CNN", cnn))


CLIP_B32 = "open_clip ViT-B-32, openai"
FOUND = ({"revision": "0123abc", "url": "https://somewhere"}, {"sha256": "ab" * 32})
SAME = [(after, after, references) for _, after, references in worlds.WRITTEN]
SWAPPED = [(after, before, references) for before, after, references in worlds.WRITTEN]
OTHER_OPTIONS = {"r": 8, "alpha": 16, "epochs": 3, "learning_rate": 1e-4, "images": 20}

CASES: list[tuple[Callable[[], Run], str, str]] = [
    *((world, name, reason) for world in (offline, assignment, own) for name, reason in ALWAYS.items()),
    # Options are compared whatever the model, and layers by their names.
    *((offline, name, "same_setting") for name in OPTIONS),
    *((lambda: with_lora(("q_proj",), **OTHER_OPTIONS), name, "other_setting") for name in OPTIONS),
    (lambda: with_lora(("c_attn", "c_proj", "c_fc")), "lora_targets", "same_setting"),
    (offline, "lora_targets", "other_layers"),
    # The brief's own setting makes its claims comparable.
    (assignment, "data_set", "same_data"),
    (assignment, "lora_targets", "same_setting"),
    (assignment, "training_time", "other_machine"),
    (assignment, "visible_difference", "all_changed"),
    (assignment, "closer_to_style", "closer"),
    (assignment, "clip_accuracy", "within_tolerance"),
    (assignment, "zero_shot_speed", "other_machine"),
    # A user's own data are not the brief's, whatever their folders are called.
    (own, "data_set", "other_data"),
    (own, "test_images", "other_images"),
    (own, "training_time", "other_tuning_and_machine"),
    (own, "visible_difference", "other_tuning"),
    (own, "closer_to_style", "other_tuning_closer"),
    (own, "clip_accuracy", "other_model"),
    (own, "ordering", "other_model"),
    # Nothing checks a copy of the photos, and others than the known repositories are not known for them.
    (unchecked_copy, "data_set", "unchecked_copy"),
    (unchecked_copy, "closer_to_style", "other_tuning_closer"),
    (lambda: with_photos(name="someone/flickr30k", sha256=None, files=None), "data_set", "other_data"),
    # CLIP is held against the brief's figure by its interval, with the brief's weights on its images alone.
    (lambda: assignment(clip=0.60), "clip_accuracy", "outside_tolerance"),
    (lambda: assignment(clip=0.95), "clip_accuracy", "outside_tolerance"),
    (lambda: assignment(clip=0.899), "clip_accuracy", "at_the_edge"),
    (lambda: with_clip("open_clip ViT-B-16, openai"), "clip_accuracy", "other_model"),
    *((lambda at=at: with_clip(CLIP_B32, **at), "clip_accuracy", "within_tolerance") for at in FOUND),
    (on_other_images, "clip_accuracy", "other_model"),
    (on_other_images, "test_images", "other_images"),
    # The order of the models is that of their tests.
    (assignment, "ordering", "other_order"),
    (lambda: with_trained(vit=0.7, cnn=0.6), "ordering", "same_order"),
    (lambda: with_trained(vit=0.7, cnn=0.6997), "ordering", "unsettled"),
    # Captions that did not change differ from the brief, and so do those that came no closer.
    (lambda: with_captions([*SAME[:1], *worlds.WRITTEN[1:]]), "visible_difference", "some_unchanged"),
    (lambda: with_captions(SWAPPED), "closer_to_style", "further"),
    (lambda: with_captions(SAME), "closer_to_style", "unclear"),
    (offline, "closer_to_style", "other_tuning_closer"),
    # Forgetting is tested with the adapter on; a base that it changed contradicts the brief in any case.
    (lambda: with_variants(0.6), "no_forgetting", "lost_when_on"),
    (lambda: with_variants(0.8), "no_forgetting", "unclear_when_on"),
    (lambda: with_variants(0.9), "no_forgetting", "gained_when_on"),
    (lambda: with_variants(0.9, off_is_base=False), "no_forgetting", "base_changed"),
    (without_the_main_variant, "no_forgetting", "base_alone"),
]


@pytest.mark.parametrize(("run", "name", "reason"), CASES)
def test_a_claim_comes_out_as_the_run_has_it(run: Callable[[], Run], name: str, reason: str):
    found = claim(run(), name)
    assert (found.reason, found.verdict) == (reason, brief.REASONS[name][reason])


@pytest.mark.parametrize("world", [offline, assignment])
def test_every_statement_of_the_brief_has_a_claim_with_its_words(world: Any):
    result = audit(world())
    assert list(result.claims) == list(brief.STATEMENTS) == list(brief.REASONS)
    assert all(claim.id == name for name, claim in result.claims.items())
    assert sum(result.verdicts.values()) == len(result.claims)
    assert Audit.model_validate_json(result.model_dump_json()) == result
    assert all(name.isidentifier() for name in (*result.claims, *result.published, *result.checks))


def test_other_models_and_data_are_not_compared_with_the_brief_but_shown():
    apart = {
        "data_set", "lora_targets", "training_time", "visible_difference", "closer_to_style",
        "clip_accuracy", "zero_shot_speed", "vit_accuracy", "cnn_accuracy", "ordering",
    }  # fmt: skip
    found = audit(offline()).claims
    assert {name for name, claim in found.items() if claim.verdict == "not_comparable"} == apart
    assert all(found[name].found is not None or found[name].found_text for name in apart)


def test_the_briefs_adapter_is_counted_on_the_architecture_itself():
    sizes = lora_arithmetic()
    assert sizes == SIZES
    assert sizes.whole == 239_195_904 == 86_389_248 + sizes.gpt2 + sizes.cross_attention
    assert (sizes.named, sizes.c_attn) == (6_193_152, 2_064_384)


def test_the_adapters_figures_are_derived_for_both_readings_of_the_brief():
    claims = audit(offline()).claims
    assert claims["lora_trainable"].found == 6_193_152
    assert claims["lora_trainable"].derived["trainable_c_attn"] == 2_064_384
    percent = {"gpt2_named": 4.98, "all_named": 2.52, "gpt2_c_attn": 1.66}
    percent |= {"gpt2_with_c_attn": 1.63, "all_c_attn": 0.86}
    shares = claims["lora_share"].derived
    assert {name: round(100 * shares[f"share_of_{name}"], 2) for name in percent} == percent
    size = claims["adapter_size"]
    assert (size.found, size.derived["bytes_c_attn"]) == (24_772_608, 8_257_536)


def test_an_architecture_that_fits_the_brief_agrees_with_it():
    fitting = replace(SIZES, whole=124_000_000, gpt2=124_000_000, named=2_000_000, c_proj_mlp=0)
    claims = audited(offline(), fitting, tolerance=0.01).claims
    for name in ("lora_trainable", "lora_share", "adapter_size", "base_parameters", "layer_kinds"):
        assert claims[name].verdict == "agrees", name


@pytest.mark.parametrize("at", FOUND)
def test_where_the_briefs_weights_were_found_does_not_make_them_others(at: dict[str, str]):
    run, bare = with_clip(CLIP_B32, **at), assignment(clip=0.889)
    assert run.shared.zero_shot
    assert anchors(run, 0.01) == anchors(bare, 0.01)
    assert any(anchor.reason == "very_weights" for anchor in anchors(run, 0.01).values())


def test_what_a_run_shares_with_the_brief_follows_from_models_and_data_not_from_names():
    shared = Shared(captioner=True, targets=True, photos=False, zero_shot=True, images=False)
    assert own().shared == shared
    assert with_lora(("c_attn", "c_proj", "c_fc")).shared.captioner is False
    assert not unchecked_copy().is_the_briefs_tuning


def test_the_briefs_cnn_is_held_against_guessing_by_its_interval(monkeypatch: pytest.MonkeyPatch):
    found = claim(offline(), "trained_for_it").found
    assert isinstance(found, Estimate)
    assert found.low < 0.1 < found.high
    for figure, reason in ((0.12, "above_chance"), (0.05, "below_chance")):
        monkeypatch.setattr(brief, "CNN", figure)
        assert claim(offline(), "trained_for_it").reason == reason


def test_the_briefs_ten_examples_are_five_and_all_five_tuned_captions_are_at_fault():
    assert (len(brief.EXAMPLES), len(distinct(brief.EXAMPLES))) == (10, 5)
    assert distinct(brief.EXAMPLES) == list(brief.EXAMPLES[::2])
    counts = {"part": 5, "whole": 5, "cut_off": 4, "rambling": 5, "repeating": 0, "references_at_fault": 0}
    assert claim(offline(), "caption_quality").derived == counts
