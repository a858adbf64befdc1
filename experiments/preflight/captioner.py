"""Whether the options for tuning and writing captions fit the captioner."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiments.captioning.captioners.untrained import random_encoder_decoder
from experiments.config.captioner import (
    AnyCaptionerConfig,
    EncoderDecoderConfig,
    RandomCaptionerConfig,
)
from experiments.config.tuning import LoraConfig, VariantsConfig
from experiments.models.libraries import prepare_transformers
from experiments.preflight.findings import Findings
from experiments.preflight.shapes import Shape, folder_of
from experiments.preflight.wording import counted, in_bytes
from experiments.profile import Profile
from pipeline.errors import UserError

TOKENS_PER_WORD = 4 / 3
"""Of English in the vocabularies of language models, about."""


def findings_of_shape(shape: Shape, profile: Profile) -> Findings:
    """Hold LoRA's targets and ranks, and the length of written captions, against the captioner."""
    lora, variants = profile.lora, profile.variants
    problems = [
        *_targets("lora.targets", lora.targets, shape),
        *_targets("variants.attention_targets", variants.attention_targets, shape),
        *_ranks(lora, variants, shape),
    ]
    limit = profile.generation.max_new_tokens
    if shape.room is not None and limit > shape.room:
        problems.append(
            f"generation.max_new_tokens is {limit}, but {shape.model} has room for "
            f"{counted(shape.room, 'token')} a caption: lower it."
        )
    trained = shape.adapter_parameters(lora.r, lora.targets)
    read = (
        f"The captioner {shape.model}: {shape.parameters:,} parameters; LoRA of rank {lora.r} on "
        f"{', '.join(lora.targets)} adds {trained:,} ({in_bytes(4 * trained)}), which are trained."
    )
    return Findings(read=(read,) if trained else (), problems=tuple(problems))


def findings_of_lengths(lengths: Sequence[int], shape: Shape) -> Findings:
    """Hold the tokens of each tuning photo's caption, the end included, against the decoder's positions."""
    longer = sum(length > shape.room for length in lengths) if shape.room is not None else 0
    if not longer:
        return Findings()
    return Findings(
        problems=(
            f"{counted(longer, 'caption')} to tune on are longer than the {shape.room} tokens that "
            f"{shape.model} has positions for (the longest has {max(lengths)}): shorten them.",
        )
    )


def token_counts(config: AnyCaptionerConfig, root: Path, captions: Sequence[str]) -> list[int]:
    """Return the tokens that each caption has, its end included: about, where the tokenizer is not here."""
    folder = folder_of(config, root) if isinstance(config, EncoderDecoderConfig) else None
    if isinstance(config, RandomCaptionerConfig):
        tokenizer: Any = random_encoder_decoder(config).tokenizer
    elif folder:
        prepare_transformers()
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    else:
        return [math.ceil(len(caption.split()) * TOKENS_PER_WORD) + 1 for caption in captions]
    return [len(tokenizer(caption, add_special_tokens=False)["input_ids"]) + 1 for caption in captions]


def _targets(key: str, targets: tuple[str, ...], shape: Shape) -> Iterator[str]:
    for target in targets:
        try:
            shape.layers((target,))
        except UserError as error:
            yield f"{key}: {error}"


def _ranks(lora: LoraConfig, variants: VariantsConfig, shape: Shape) -> Iterator[str]:
    """Yield a sentence for each rank that a layer's narrower side cannot have."""
    for key, ranks, targets in (
        ("lora.r", (lora.r,), (*lora.targets, *variants.attention_targets)),
        ("variants.ranks", variants.ranks, lora.targets),
    ):
        matched = {name: min(size) for target in targets for name, size in _layers(shape, target).items()}
        narrowest = min(matched, key=lambda name: matched[name], default=None)
        for rank in ranks:
            if narrowest is not None and rank > matched[narrowest]:
                yield (
                    f"{key} is {rank}, more than the {matched[narrowest]} that the layer {narrowest} of "
                    f"{shape.model} can have: lower it, or leave that target out."
                )


def _layers(shape: Shape, target: str) -> dict[str, tuple[int, int]]:
    try:
        return shape.layers((target,))
    except UserError:
        return {}
