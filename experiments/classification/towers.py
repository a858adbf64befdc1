"""Dual encoders: an image tower and a text tower that meet in one space."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from experiments.config.zero_shot import RandomTower
from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import Features, Report, cached_features, fingerprint
from experiments.models.libraries import open_clip_library
from experiments.models.precision import autocast, best_device
from experiments.models.seeding import seeded
from experiments.results.classification import Precision
from experiments.results.source import Source


@dataclass(frozen=True)
class About:
    """What may be said of a dual encoder: see the fields of the same names in `ZeroShot`."""

    model: str
    weights: tuple[Source, ...]
    is_clip: bool
    seen_labels: str


@dataclass(frozen=True)
class DualEncoder:
    """An open_clip model whose image tower is `trunk` followed by `head`.

    `preprocess` makes pixels (3, h, w) of an RGB picture, `tokenizer` tokens (M, T) of M texts. Tensors go in
    and come out on the CPU.
    """

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
        """Return float32 features (N, F) of pixels (N, 3, h, w): the costly part, worth keeping."""
        with autocast(precision, self.device):
            return self.trunk(pixels.to(self.device)).float().cpu()

    @torch.inference_mode()
    def project(self, features: Tensor) -> Tensor:
        """Return unit vectors (N, D) in the joint space for features (N, F), in fp32: the cheap part."""
        return functional.normalize(self.head(features.to(self.device)), dim=-1).cpu()

    @torch.inference_mode()
    def encode_text(self, tokens: Tensor) -> Tensor:
        """Return unit vectors (M, D) in the joint space for tokens (M, T), in fp32."""
        return functional.normalize(self.clip.encode_text(tokens.to(self.device)), dim=-1).float().cpu()  # pyright: ignore[reportCallIssue]

    def image_fingerprint(self) -> str:
        """Hash all that `encode_image` depends on: the trunk's structure and tensors, the preprocessing."""
        return fingerprint(self.trunk, self.preprocess)

    def logit_scale(self) -> float:
        """Return the learnt factor between a cosine and a logit (open_clip stores its logarithm)."""
        return float(self.clip.get_parameter("logit_scale").detach().exp())

    def parameters(self) -> int:
        """Count the parameters of the whole model."""
        return sum(parameter.numel() for parameter in self.clip.parameters())


def embed(
    tower: DualEncoder, pictures: Pictures, precision: Precision, context: Context, report: Report
) -> Features:
    """Return the image features of pictures at `precision`, or map from disk what an earlier run kept."""

    def encode(batch: Iterable[np.ndarray]) -> Tensor:
        return tower.encode_image(preprocess(tower, batch), precision)

    encoder = f"{tower.image_fingerprint()} {precision}"
    return cached_features(encode, encoder, pictures, context, folder="embeddings", report=report)


def preprocess(tower: DualEncoder, pictures: Iterable[np.ndarray]) -> Tensor:
    """Return uint8 pictures (H, W, 3) of any size as the float tensor (N, 3, h, w) that `tower` takes."""
    return torch.stack([tower.preprocess(Image.fromarray(picture)) for picture in pictures])


def random_tower(config: RandomTower) -> DualEncoder:
    """Build a tiny CLIP architecture with random weights, a function of the seed alone."""
    library = open_clip_library()
    with seeded(config.seed):
        clip = library.CLIP(
            embed_dim=32,
            vision_cfg={"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
            text_cfg={"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
        )
    clip.eval().requires_grad_(False).to(best_device())
    return DualEncoder(
        about=About(
            "Random dual encoder",
            (),
            is_clip=False,
            seen_labels="none: never trained",
        ),
        preprocess=library.image_transform(32, is_train=False),
        tokenizer=library.SimpleTokenizer(context_length=77),
        clip=clip,
        trunk=clip.visual,
        head=nn.Identity(),
    )
