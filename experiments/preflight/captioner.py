"""Whether the options for tuning and writing captions fit the captioner, by its architecture alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from experiments.audit.brief import CAPTIONER
from experiments.captioning import adapter
from experiments.captioning.captioners import prefix
from experiments.captioning.captioners.model_folder import weights_of
from experiments.captioning.captioners.untrained import random_encoder_decoder, vit_gpt2_on_meta
from experiments.config.captioner import (
    AnyCaptionerConfig,
    EncoderDecoderConfig,
    PrefixCaptionerConfig,
    RandomCaptionerConfig,
)
from experiments.models.libraries import prepare_transformers
from experiments.preflight.findings import Findings, counted, in_bytes
from experiments.preflight.sizes import folder_of, impossible
from experiments.profile import Profile
from pipeline.errors import UserError, reason

SMOLLM2 = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
"""SmolLM2-135M, as its file says of itself."""
LITE0_AND_MAPPER = 6_600_000
"""Parameters of EfficientNet-Lite0 and of the mapper, about."""

Layers = dict[str, tuple[int, int]]
"""The number of inputs and outputs of layers by their name."""


@dataclass(frozen=True)
class Shape:
    """A captioner's sizes.

    `network` is the network that LoRA adapts, without memory for weights; `parameters` counts its own and
    those of a frozen tower beside it. `room` is the number of tokens that a caption may have, None if there
    is no limit to speak of.
    """

    model: str
    network: Any
    parameters: int
    room: int | None

    def layers(self, target: str) -> Layers:
        """Return the number of inputs and outputs of each layer that a target matches, by the layer's name.

        Raises:
            UserError: if it matches none, or one that cannot be tuned.
        """
        captioner: Any = SimpleNamespace(model=self.model, network=self.network)
        parts = dict(self.network.named_modules())
        matched = adapter.matching_layers(captioner, (target,))
        return {name: tuple(parts[name].weight.shape) for name in matched}


def shape_of(config: AnyCaptionerConfig, root: Path) -> Shape | None:
    """Return the captioner's shape, None if its architecture is not on this machine.

    Raises:
        UserError: if its configuration cannot be read as that of a VisionEncoderDecoder, or says
            what cannot be.
    """
    match config:
        case PrefixCaptionerConfig():
            network = _language_model()
            parameters = _parameters(network) + LITE0_AND_MAPPER
            return Shape(prefix.PrefixCaptioner.model, network, parameters, room=None)
        case EncoderDecoderConfig():
            model, network = Path(config.model).name, _encoder_decoder(config, root)
        case _:
            model, network = "Random encoder-decoder", random_encoder_decoder(config).network
    if network is None:
        return None
    room = getattr(network.config.decoder, "max_position_embeddings", None)
    return Shape(model, network, _parameters(network), room)


def findings_of_shape(shape: Shape, profile: Profile) -> Findings:
    """Hold LoRA's targets and ranks, and the length of written captions, against the captioner."""
    lora, variants, generation = profile.lora, profile.variants, profile.generation
    if lora is None or generation is None:
        return Findings()
    attended = variants.attention_targets if variants else ()
    found: dict[str, Layers] = {}
    problems = []
    for key, targets in (("lora.targets", lora.targets), ("variants.attention_targets", attended)):
        for target in targets:
            try:
                found[target] = shape.layers(target)
            except UserError as error:
                problems.append(f"{key}: {error}")
    tuned, attention = (
        {name: size for target in targets for name, size in found.get(target, {}).items()}
        for targets in (lora.targets, attended)
    )
    problems += _ranks("lora.r", (lora.r,), tuned | attention, shape.model)
    problems += _ranks("variants.ranks", variants.ranks if variants else (), tuned, shape.model)
    limit = generation.max_new_tokens
    if shape.room is not None and limit > shape.room:
        problems.append(
            f"generation.max_new_tokens is {limit}, but {shape.model} has room for "
            f"{counted(shape.room, 'token')} a caption: lower it."
        )
    trained = sum(lora.r * sum(size) for size in tuned.values())
    read = (
        f"The captioner {shape.model}: {shape.parameters:,} parameters; LoRA of rank {lora.r} on "
        f"{', '.join(lora.targets)} adds {trained:,} ({in_bytes(4 * trained)}), which are trained."
    )
    is_sure = all(target in found for target in lora.targets)
    return Findings(read=(read,) if is_sure else (), problems=tuple(problems))


def findings_of_lengths(lengths: Sequence[int], shape: Shape) -> Findings:
    """Hold the tokens of each tuning photo's caption, the end included, against the decoder's positions."""
    longer = sum(length > shape.room for length in lengths) if shape.room is not None else 0
    problem = (
        f"{counted(longer, 'caption')} to tune on are longer than the {shape.room} tokens that "
        f"{shape.model} has positions for (the longest has {max(lengths, default=0)}): shorten them."
    )
    return Findings(problems=(problem,) if longer else ())


def token_counts(config: AnyCaptionerConfig, root: Path, captions: Sequence[str]) -> list[int]:
    """Return the tokens that each caption has, its end included; none where the tokenizer is not here."""
    folder = folder_of(config, root) if isinstance(config, EncoderDecoderConfig) else None
    if isinstance(config, RandomCaptionerConfig):
        tokenizer: Any = random_encoder_decoder(config).tokenizer
    elif folder:
        prepare_transformers()
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    else:
        return []
    return [len(tokenizer(caption, add_special_tokens=False)["input_ids"]) + 1 for caption in captions]


def _language_model() -> Any:
    """Build SmolLM2 on the meta device."""
    prepare_transformers()
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"):
        return LlamaForCausalLM(LlamaConfig(**SMOLLM2))


def _encoder_decoder(config: EncoderDecoderConfig, root: Path) -> Any:
    """Build the network on the meta device from its config.json, None if it is not on this machine."""
    if sentence := impossible(config, root):
        raise UserError(sentence)
    folder = folder_of(config, root)
    if folder is None:
        return vit_gpt2_on_meta() if config.model == CAPTIONER else None
    prepare_transformers()
    from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    try:
        architecture = VisionEncoderDecoderConfig.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            network = VisionEncoderDecoderModel(architecture)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # whatever a foreign or damaged configuration makes transformers raise
        raise UserError(
            f"transformers cannot build {config.model} from its config.json: {reason(error)}; get its files "
            "anew."
        ) from error
    # Nobody keeps a parameter in less than four bits; only the encoder's pooler need not be kept at all.
    kept = (part for name, part in network.named_parameters() if not name.startswith("encoder.pooler."))
    described, size = (
        sum(part.numel() for part in kept),
        sum(file.stat().st_size for file in weights_of(folder)),
    )
    if described > 2 * size:
        raise UserError(
            f"config.json of {config.model} describes {described:,} parameters, more than its weights "
            f"({in_bytes(size)}) can hold: get its files anew."
        )
    return network


def _parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _ranks(key: str, ranks: Sequence[int], layers: Layers, model: str) -> Iterator[str]:
    """Yield a sentence for each rank that a layer's narrower side cannot have."""
    sides = {name: min(size) for name, size in layers.items()}
    narrowest = min(sides, key=lambda name: sides[name], default=None)
    for rank in ranks:
        if narrowest is not None and rank > sides[narrowest]:
            yield (
                f"{key} is {rank}, more than the {sides[narrowest]} that the layer {narrowest} of {model} "
                "can have: lower it, or leave that target out."
            )
