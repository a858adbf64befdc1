"""The sizes of the networks that are trained from scratch, and of the zero-shot tower."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from experiments.classification.cnn import network
from experiments.classification.open_clip_weights import CONFIGURATION
from experiments.classification.precision import autocast, chosen
from experiments.classification.towers import open_clip_library
from experiments.classification.vit import VisionTransformer
from experiments.results.classification import Precision
from experiments.sections.cnn import CnnSection
from experiments.sections.training import TrainingSection
from experiments.sections.vit import VitSection
from experiments.sections.zero_shot import HUB, LOCAL_FOLDER, ImagenetBridge, OpenClipTower, RandomTower

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class NetworkSize:
    """Parameters, and the bytes of what all layers make of one image, which training keeps."""

    parameters: int
    bytes_per_image: int


@dataclass(frozen=True)
class TowerSize:
    """Parameters of both towers, and how many numbers the features of an image are."""

    parameters: int
    feature: int


def network_size(section: TrainingSection, side: int, classes: int) -> NetworkSize:
    """Build a section's network for images of `side` pixels square and let it see two of them."""
    images = np.zeros((2, side, side, 3), dtype=np.uint8)
    with torch.random.fork_rng(devices=[]):
        match section:
            case CnnSection():
                built = network(images, classes, section.widths)
            case VitSection():
                built = VisionTransformer(images, classes, section)
            case _:
                raise ValueError(f"{type(section).__name__} is no network's section")
    parameters = sum(parameter.numel() for parameter in built.parameters())
    return NetworkSize(
        parameters, _outputs(built, torch.from_numpy(images), chosen(section.precision)) // len(images)
    )


def configuration(tower: OpenClipTower) -> dict[str, Any] | None:
    """Return open_clip's configuration of a model, None if it has none here; it would fetch a hub's."""
    folder = tower.local if tower.model.startswith(LOCAL_FOLDER) else None
    is_elsewhere = folder is not None and not (folder / CONFIGURATION).is_file()
    if is_elsewhere or tower.model.startswith(HUB):
        return None
    return open_clip_library().get_model_config(tower.model)


def tower_size(tower: OpenClipTower | ImagenetBridge | RandomTower) -> TowerSize | None:
    """Return the size of the zero-shot model, None if it is not known without its files."""
    match tower:
        case ImagenetBridge():
            return TowerSize(27_000_000, 1280)
        case RandomTower():
            return TowerSize(1_700_000, 32)
    config = configuration(tower)
    if config is None or "hf_model_name" in config["text_cfg"]:
        return None
    with torch.device("meta"):
        built: Any = open_clip_library().CLIP(
            **{part: config[part] for part in ("embed_dim", "vision_cfg", "text_cfg")}
        )
    return TowerSize(sum(parameter.numel() for parameter in built.parameters()), config["embed_dim"])


def _outputs(built: nn.Module, images: torch.Tensor, precision: Precision) -> int:
    """Return the bytes of the outputs of all layers that have no layers in them."""
    sizes: list[int] = []

    def note(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        sizes.append(output.numel() * output.element_size())

    hooks = [part.register_forward_hook(note) for part in built.modules() if not any(part.children())]
    with torch.inference_mode(), autocast(precision, _CPU):
        built.eval()(images)
    for hook in hooks:
        hook.remove()
    return sum(sizes)
