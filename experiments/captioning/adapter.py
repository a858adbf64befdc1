"""Low-rank adapters on a captioner's network, by PEFT.

Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685.
"""

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from experiments.captioning.captioners.captioner import Captioner
from experiments.models.libraries import prepare_transformers
from experiments.models.seeding import seeded
from pipeline.errors import UserError

TOWER = "encoder."
"""How the names of the frozen image tower's layers begin where it is part of the network."""

_FILE = "adapter_model.safetensors"


def with_adapter(
    captioner: Captioner, *, r: int, alpha: int, dropout: float, targets: tuple[str, ...], seed: int
) -> Captioner:
    """Return the captioner with a new adapter on its network, of which the adapter alone is trainable.

    The adapter changes nothing yet: one of its two factors is zero. The captioner passed in shares the
    network and must not be used on.

    Raises:
        UserError: if a target matches no linear layer, or one whose features are computed beforehand.
    """
    prepare_transformers()
    from peft import LoraConfig, get_peft_model

    matched, layers = matching_layers(captioner, targets), linear_layers(captioner.network)
    is_in_tower = any(
        f".{name}".endswith(f".{target}") for name in set(layers) - set(matched) for target in targets
    )
    config = LoraConfig(
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=matched if is_in_tower else list(targets),  # whole names leave the tower out
        fan_in_fan_out=captioner.stores_transposed,
        bias="none",
    )
    with seeded(seed), _without_its_warning():
        network = get_peft_model(captioner.network, config)
    return dataclasses.replace(captioner, network=network)  # pyright: ignore[reportArgumentType]


def matching_layers(captioner: Captioner, targets: tuple[str, ...]) -> list[str]:
    """Return the names of the layers that targets match, as PEFT does: by the last parts of their names.

    Of a name that the frozen image tower has as well, those outside of it are meant.

    Raises:
        UserError: if a target matches none; its text lists what exists.
    """
    layers = linear_layers(captioner.network)
    tower = {name for name in layers if name.startswith(TOWER)}
    matched = []
    for target in targets:
        own = [name for name in layers if name == target or name.endswith(f".{target}")]
        if not own:
            exist = ", ".join(sorted({name.rpartition(".")[2] for name in layers if name not in tower}))
            raise UserError(
                f"The LoRA target {target!r} matches no layer of {captioner.model}; its layers are: {exist}."
            )
        decoder = [name for name in own if name not in tower]
        if not decoder:
            raise UserError(
                f"The LoRA target {target!r} is a layer of {captioner.model}'s frozen image tower, whose "
                "features are computed before tuning; choose layers of its decoder."
            )
        matched += decoder
    return matched


def linear_layers(network: nn.Module) -> list[str]:
    """Return the names of all layers that PEFT can adapt: linear ones and GPT-2's transposed kind."""
    from transformers.pytorch_utils import Conv1D

    return [name for name, part in network.named_modules() if isinstance(part, nn.Linear | Conv1D)]


def save(captioner: Captioner, folder: Path) -> int:
    """Save the adapter in `folder` as PEFT does, and return the size of its weights on disk in bytes.

    Its configuration names the captioner as the base, rather than a folder of this machine.
    """
    for config in captioner.network.peft_config.values():
        config.base_model_name_or_path = captioner.model
        config.target_modules = sorted(config.target_modules)  # of a set the file would be other every time
    captioner.network.save_pretrained(folder, save_embedding_layers=False)
    return (folder / _FILE).stat().st_size


def with_saved_adapter(captioner: Captioner, folder: Path) -> Captioner:
    """Return the captioner with the adapter that `save` left in `folder`, frozen.

    The captioner passed in shares the network and must not be used on.
    """
    prepare_transformers()
    from peft import PeftModel

    with _without_its_warning():
        network: Any = PeftModel.from_pretrained(captioner.network, folder)
    return dataclasses.replace(captioner, network=network.eval())  # pyright: ignore[reportArgumentType]


@contextmanager
def _without_its_warning() -> Iterator[None]:
    """Silence what PEFT provokes by asking transformers for something under its old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def counts(network: nn.Module) -> tuple[int, int]:
    """Return how many parameters of a network are trainable, and how many there are."""
    parameters = list(network.parameters())
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return trainable, sum(parameter.numel() for parameter in parameters)
