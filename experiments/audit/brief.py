"""What the brief states, as data: the hand-made report on the assignment that this project replaces.

A statement in words keeps the brief's figures; `low` to `high` are the numbers that the words cover.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Example:
    """One of the brief's examples as it prints it: reference, caption before and after fine-tuning."""

    reference: str
    before: str
    after: str


EXAMPLES = (
    Example(
        "One white and tan dog is chasing another white and brown dog who has a toy in its mouth.",
        "two dogs chasing each other on a beach",
        "dogs are being chased by a white dog carrying a yellow toy. white and brown sand dune",
    ),
    Example(
        "One white and tan dog is chasing another white and brown dog who has a toy in its mouth .",
        "two dogs chasing each other on a beach",
        "dogs are being chased by a white dog carrying a yellow toy . white and brown sand dune",
    ),
    Example(
        "two tan dogs play in the grass",
        "a dog that is standing in the grass",
        "tan dogs play in the grass. black and white are blurred. white is the background. brown",
    ),
    Example(
        "two tan dogs play in the grass",
        "a dog that is standing in the grass",
        "tan dogs play in the grass . black and white are blurred . white is the background . brown",
    ),
    Example(
        "A dog jumps to catch an orange Frisbee.",
        "a dog jumping in the air to catch a frisbee",
        "black dog is catching a red Frisbee in its mouth. blue and white, a brown",
    ),
    Example(
        "A dog jumps to catch an orange Frisbee .",
        "a dog jumping in the air to catch a frisbee",
        "black dog is catching a red Frisbee in its mouth . blue and white , a brown",
    ),
    Example(
        "An older dog and a younger one playing with a toy.",
        "two dogs playing with each other in the snow",
        "tan dogs are playing tug of war with a brown ball. brown dog is trying to get it",
    ),
    Example(
        "An older dog and a younger one playing with a toy .",
        "two dogs playing with each other in the snow",
        "tan dogs are playing tug of war with a brown ball . brown dog is trying to get it",
    ),
    Example(
        "A white and brown dog runs along the shoreline.",
        "a dog running across a sandy beach",
        "wet white dog running along side a rocky shoreline. reflections in the distance.",
    ),
    Example(
        "A white and brown dog runs along the shoreline .",
        "a dog running across a sandy beach",
        "wet white dog running along side a rocky shoreline . reflections in the distance .",
    ),
)
"""The examples in the brief's order; it prints each of them twice."""
