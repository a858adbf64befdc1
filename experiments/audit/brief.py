"""What the brief states, as data: the hand-made report on the assignment that this project replaces.

A statement in words keeps the brief's figures; `low` to `high` are the numbers that the words cover.
"""

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from experiments.results.audit import Verdict

CAPTIONER = "nlpconnect/vit-gpt2-image-captioning"
FLICKR30K = ("lmms-lab/flickr30k", "nlphuji/flickr30k")
"""Repositories on a hub that hold the brief's photos."""
CLIP_WEIGHTS = ("open_clip ViT-B-32, openai", "open_clip ViT-B-32-quickgelu, openai")
RANK = 32
TARGETS = ("c_attn", "c_proj", "c_fc")

CLIP, VIT, CNN = 0.8885, 0.7063, 0.1035
TEST_IMAGES = 10_000
CLASSES = 10
BATCHES, SECONDS, BATCHES_PER_SECOND = 40, 23, 2.24
"""The progress bar of the zero-shot evaluation: batches, seconds, and the rate that it prints itself."""


@dataclass(frozen=True)
class Statement:
    """One claim: its subject, the brief's words, and as a number, if it is one, with what it covers."""

    what: str
    text: str
    stated: int | float | None = None
    low: int | float | None = None
    high: int | float | None = None


def _exactly(what: str, text: str, stated: int | float) -> Statement:
    return Statement(what, text, stated, stated, stated)


STATEMENTS = {
    "data_set": Statement("Data set", "Flickr30k"),
    "tuning_photos": _exactly("Photos tuned on", "50 images", 50),
    "lora_rank": _exactly("Rank r", "32", RANK),
    "lora_alpha": _exactly("Scale α", "64", 64),
    "lora_targets": Statement("Adapted layers", ", ".join(TARGETS)),
    "layer_kinds": Statement("What c_proj is", "attention"),
    "epochs": _exactly("Epochs", "8", 8),
    "learning_rate": _exactly("Learning rate", "3e-4", 3e-4),
    "training_time": Statement("Time of tuning", "10–15 min", 750, 600, 900),
    "lora_trainable": Statement("Trained parameters", "about 2 M", 2_000_000, 1_500_000, 2_500_000),
    "base_parameters": Statement("Whole captioner", "124 M", 124_000_000, 123_500_000, 124_500_000),
    "lora_share": Statement("Trained share", "1.6 %", 0.016, 0.0155, 0.0165),
    "adapter_size": Statement("Adapter on disk", "8 MB", 8_000_000, 7_500_000, 8_500_000),
    "examples": _exactly("Examples shown", "5 examples", 5),
    "caption_quality": Statement("Tuned captions", "closer in style"),
    "visible_difference": _exactly("Changed captions", "5 of 5", 1.0),
    "closer_to_style": Statement("Style after tuning", "closer"),
    "no_forgetting": Statement("Forgetting", "prevented"),
    "test_images": _exactly("Test images", "10,000", TEST_IMAGES),
    "clip_accuracy": Statement("CLIP, zero-shot", "88.85 %", CLIP, CLIP, CLIP),
    "zero_shot_speed": Statement("Zero-shot speed", "40 batches in 23 s", TEST_IMAGES / SECONDS),
    "vit_accuracy": _exactly("ViT, trained", "70.63 %", VIT),
    "cnn_accuracy": _exactly("CNN, trained", "10.35 %", CNN),
    "trained_for_it": Statement("CNN's training", "optimised"),
    "ordering": Statement("Order", "CLIP > ViT > CNN"),
}
"""Every claim by its id, in the order of the page."""

_SETTING: Mapping[str, Verdict] = {"same_setting": "agrees", "other_setting": "differs"}
_TARGETS: Mapping[str, Verdict] = {"named_targets": "agrees", "c_attn_alone": "differs", "neither": "differs"}
_NETWORK: Mapping[str, Verdict] = {"unknown_network": "not_comparable"}

REASONS: Mapping[str, Mapping[str, Verdict]] = {
    "data_set": {"same_data": "agrees", "unchecked_copy": "cannot_tell", "other_data": "not_comparable"},
    "tuning_photos": _SETTING,
    "lora_rank": _SETTING,
    "lora_alpha": _SETTING,
    "lora_targets": {**_SETTING, "other_layers": "not_comparable"},
    "layer_kinds": {"attention_alone": "agrees", "both_kinds": "differs"},
    "epochs": _SETTING,
    "learning_rate": _SETTING,
    "training_time": {"other_machine": "not_comparable", "other_tuning_and_machine": "not_comparable"},
    "lora_trainable": _TARGETS,
    "base_parameters": {"whole": "agrees", "language_model_alone": "differs", "neither": "differs"},
    "lora_share": _TARGETS,
    "adapter_size": _TARGETS,
    "examples": {"each_once": "agrees", "repeated": "differs"},
    "caption_quality": {"sound": "agrees", "faulty": "differs"},
    "visible_difference": {
        "all_changed": "agrees",
        "some_unchanged": "differs",
        "other_tuning": "not_comparable",
    },
    "closer_to_style": {
        "closer": "agrees",
        "further": "differs",
        "unclear": "cannot_tell",
        "other_tuning_closer": "not_comparable",
        "other_tuning_further": "not_comparable",
        "other_tuning_unclear": "not_comparable",
    },
    "no_forgetting": {
        "gained_when_on": "agrees",
        "lost_when_on": "differs",
        "base_changed": "differs",
        "unclear_when_on": "cannot_tell",
        "base_alone": "cannot_tell",
    },
    "test_images": {"same_images": "agrees", "other_number": "differs", "other_images": "not_comparable"},
    "clip_accuracy": {
        "within_tolerance": "agrees",
        "outside_tolerance": "differs",
        "at_the_edge": "cannot_tell",
        "other_model": "not_comparable",
    },
    "zero_shot_speed": {"other_machine": "not_comparable", "other_model_and_machine": "not_comparable"},
    "vit_accuracy": _NETWORK,
    "cnn_accuracy": _NETWORK,
    "trained_for_it": {"above_chance": "agrees", "at_chance": "differs", "below_chance": "differs"},
    "ordering": {
        "same_order": "agrees",
        "other_order": "differs",
        "unsettled": "cannot_tell",
        "other_model": "not_comparable",
    },
}
"""For each claim every way in which it can come out when held against a run, with the verdict of each."""


@dataclass(frozen=True)
class Example:
    """One of the brief's examples as it prints it: reference, caption before and after fine-tuning."""

    reference: str
    before: str
    after: str

    @property
    def spaced(self) -> "Example":
        """The same with a space before every full stop and comma."""
        return Example(*(re.sub("([.,])", r" \1", text) for text in astuple(self)))


EXAMPLES = tuple(
    printed
    for example in (
        Example(
            "One white and tan dog is chasing another white and brown dog who has a toy in its mouth.",
            "two dogs chasing each other on a beach",
            "dogs are being chased by a white dog carrying a yellow toy. white and brown sand dune",
        ),
        Example(
            "two tan dogs play in the grass",
            "a dog that is standing in the grass",
            "tan dogs play in the grass. black and white are blurred. white is the background. brown",
        ),
        Example(
            "A dog jumps to catch an orange Frisbee.",
            "a dog jumping in the air to catch a frisbee",
            "black dog is catching a red Frisbee in its mouth. blue and white, a brown",
        ),
        Example(
            "An older dog and a younger one playing with a toy.",
            "two dogs playing with each other in the snow",
            "tan dogs are playing tug of war with a brown ball. brown dog is trying to get it",
        ),
        Example(
            "A white and brown dog runs along the shoreline.",
            "a dog running across a sandy beach",
            "wet white dog running along side a rocky shoreline. reflections in the distance.",
        ),
    )
    for printed in (example, example.spaced)
)
"""The examples in the brief's order; it prints each of them twice, the second time spaced."""
