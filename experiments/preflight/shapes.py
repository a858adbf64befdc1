"""The shape of the profile's captioner, from its architecture alone: no weights are read."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from experiments.audit.brief import CAPTIONER
from experiments.captioning import adapter
from experiments.captioning.captioners import model_folder
from experiments.captioning.captioners.prefix import PrefixCaptioner
from experiments.captioning.captioners.untrained import random_encoder_decoder, vit_gpt2_on_meta
from experiments.config.captioner import (
    AnyCaptionerConfig,
    EncoderDecoderConfig,
    PrefixCaptionerConfig,
)
from experiments.models import hub
from experiments.models.libraries import prepare_transformers
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

    def layers(self, targets: tuple[str, ...]) -> dict[str, tuple[int, int]]:
        """Return the number of inputs and outputs of each layer that targets match, by the layer's name.

        Raises:
            UserError: if a target matches none, or one that cannot be tuned.
        """
        captioner: Any = SimpleNamespace(model=self.model, network=self.network)
        parts = dict(self.network.named_modules())
        matched = adapter.matching_layers(captioner, targets)
        return {name: tuple(parts[name].weight.shape) for name in matched}

    def adapter_parameters(self, r: int, targets: tuple[str, ...]) -> int:
        """Return how many parameters an adapter of rank `r` has, 0 if a target matches no layer."""
        try:
            return sum(r * (inputs + outputs) for inputs, outputs in self.layers(targets).values())
        except UserError:
            return 0


def shape_of(config: AnyCaptionerConfig, root: Path) -> Shape | None:
    """Return the captioner's shape, None if its architecture is not on this machine.

    Raises:
        UserError: if its configuration cannot be read as that of a VisionEncoderDecoder.
    """
    match config:
        case PrefixCaptionerConfig():
            return _prefix()
        case EncoderDecoderConfig():
            network = _encoder_decoder(config, root)
            return None if network is None else _of_encoder_decoder(Path(config.model).name, network)
        case _:
            return _of_encoder_decoder("Random encoder-decoder", random_encoder_decoder(config).network)


def folder_of(config: EncoderDecoderConfig, root: Path) -> Path | None:
    """Return the folder with all the captioner's files, None if it is not on this machine."""
    if config.local is None:
        return hub.usable(model_folder.repository(config))
    folder = root / config.local
    return folder if folder.is_dir() and model_folder.lacks(folder) is None else None


def _prefix() -> Shape:
    prepare_transformers()
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"):
        network: Any = LlamaForCausalLM(LlamaConfig(**SMOLLM2))
    return Shape(
        model=PrefixCaptioner.model,
        network=network,
        parameters=_parameters(network) + LITE0_AND_MAPPER,
        room=None,
    )


def _encoder_decoder(config: EncoderDecoderConfig, root: Path) -> Any:
    """Build the network on the meta device from its config.json, None if it is not on this machine."""
    folder = folder_of(config, root)
    if folder is None:
        return vit_gpt2_on_meta() if config.model == CAPTIONER else None
    prepare_transformers()
    from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    try:
        architecture = VisionEncoderDecoderConfig.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            return VisionEncoderDecoderModel(architecture)  # pyright: ignore[reportArgumentType]
    except Exception as error:  # whatever a foreign or damaged configuration makes transformers raise
        raise UserError(
            f"transformers cannot build {config.model} from its config.json: {reason(error)}; get its files "
            "anew."
        ) from error


def _of_encoder_decoder(model: str, network: Any) -> Shape:
    return Shape(
        model=model,
        network=network,
        parameters=_parameters(network),
        room=getattr(network.config.decoder, "max_position_embeddings", None),
    )


def _parameters(network: Any) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
