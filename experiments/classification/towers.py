"""Dual encoders: an image tower and a text tower that meet in one space."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from experiments.config.zero_shot import RandomTower
from experiments.models.feature_store import fingerprint
from experiments.models.precision import autocast, best_device
from experiments.models.torchvision_shim import declare_missing_operators
from experiments.results.classification import Precision


@dataclass(frozen=True)
class About:
    """What may be said of a dual encoder: see the fields of the same names in `ZeroShot`."""

    model: str
    weights: str
    is_clip: bool
    seen_labels: str


class Tower(Protocol):
    """All that the evaluation sees of a dual encoder; tensors go in and come out on the CPU."""

    @property
    def about(self) -> About:
        """Return what may be said of the model."""
        ...

    @property
    def preprocess(self) -> Callable[[Image.Image], Tensor]:
        """Return the function from an RGB picture to pixels (3, h, w)."""
        ...

    @property
    def tokenizer(self) -> Callable[[list[str]], Tensor]:
        """Return the function from M texts to tokens (M, T)."""
        ...

    def encode_image(self, pixels: Tensor, precision: Precision) -> Tensor:
        """Return float32 features (N, F) of pixels (N, 3, h, w): the costly part, worth keeping."""
        ...

    def project(self, features: Tensor) -> Tensor:
        """Return unit vectors (N, D) in the joint space for features (N, F): the cheap part."""
        ...

    def encode_text(self, tokens: Tensor) -> Tensor:
        """Return unit vectors (M, D) in the joint space for tokens (M, T)."""
        ...

    def image_fingerprint(self) -> str:
        """Return a hash of all that `encode_image` depends on: weights, architecture, preprocessing."""
        ...

    def logit_scale(self) -> float:
        """Return the factor between a cosine and a logit."""
        ...

    def parameters(self) -> int:
        """Return the number of parameters of both towers."""
        ...


@dataclass(frozen=True)
class DualEncoder:
    """A `Tower` made of an open_clip model whose image tower is `trunk` followed by `head`."""

    about: About
    preprocess: Callable[[Image.Image], Tensor]
    tokenizer: Callable[[list[str]], Tensor]
    clip: nn.Module
    trunk: nn.Module
    head: nn.Module

    @property
    def device(self) -> torch.device:
        """Return where the weights are."""
        return next(self.clip.parameters()).device

    @torch.inference_mode()
    def encode_image(self, pixels: Tensor, precision: Precision) -> Tensor:
        """Run the trunk at `precision`."""
        with autocast(precision, self.device):
            return self.trunk(pixels.to(self.device)).float().cpu()

    @torch.inference_mode()
    def project(self, features: Tensor) -> Tensor:
        """Run the head in fp32 and normalise."""
        return functional.normalize(self.head(features.to(self.device)), dim=-1).cpu()

    @torch.inference_mode()
    def encode_text(self, tokens: Tensor) -> Tensor:
        """Run the text tower in fp32 and normalise."""
        return functional.normalize(self.clip.encode_text(tokens.to(self.device)), dim=-1).float().cpu()  # pyright: ignore[reportCallIssue]

    def image_fingerprint(self) -> str:
        """Hash the trunk's structure and tensors and the text of the preprocessing."""
        return fingerprint(self.trunk, self.preprocess)

    def logit_scale(self) -> float:
        """Return the model's learnt factor (its logarithm is what open_clip stores)."""
        return float(self.clip.get_parameter("logit_scale").detach().exp())

    def parameters(self) -> int:
        """Count the parameters of the whole model."""
        return sum(parameter.numel() for parameter in self.clip.parameters())


def open_clip_library() -> Any:
    """Import open_clip, which imports torchvision, and return it."""
    declare_missing_operators()
    import open_clip

    return open_clip


def random_tower(config: RandomTower) -> DualEncoder:
    """Build a tiny CLIP architecture with random weights, a function of the seed alone."""
    library = open_clip_library()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        clip = library.CLIP(
            embed_dim=32,
            vision_cfg={"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
            text_cfg={"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
        )
    clip.eval().requires_grad_(False).to(best_device())
    return DualEncoder(
        about=About(
            "Random dual encoder",
            f"random, seed {config.seed}",
            is_clip=False,
            seen_labels="none: never trained",
        ),
        preprocess=library.image_transform(32, is_train=False),
        tokenizer=library.SimpleTokenizer(context_length=77),
        clip=clip,
        trunk=clip.visual,
        head=nn.Identity(),
    )
