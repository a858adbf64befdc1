"""A small vision transformer with a convolutional stem, trained from scratch.

Dosovitskiy et al. (2021), arXiv:2010.11929; the stem after Xiao et al. (2021), arXiv:2106.14881.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from experiments.classification.inputs import Pixels
from experiments.classification.training import train_and_test
from experiments.config.training import VitConfig
from experiments.context import Context
from experiments.results.trained import TrainedClassifier

MLP_RATIO = 2


def vit(config: VitConfig, inputs: Mapping[str, object], context: Context) -> TrainedClassifier:
    """Train and test the vision transformer; it needs no other stage's result."""

    def build(train_images: np.ndarray, classes: int) -> nn.Module:
        return VisionTransformer(train_images, classes, config)

    def optimiser(model: nn.Module) -> torch.optim.Optimizer:
        return adamw(model, config.learning_rate, config.weight_decay)

    return train_and_test("ViT with convolutional stem", build, optimiser, config, context)


class VisionTransformer(nn.Module):
    """A transformer encoder on one token per 4×4 pixels, with mean pooling and a linear head."""

    def __init__(self, train_images: np.ndarray, classes: int, config: VitConfig) -> None:
        """Build it for images like `train_images`, uint8 (N, H, W, 3)."""
        super().__init__()
        _, height, width, _ = train_images.shape
        self.pixels = Pixels(train_images)
        self.stem = _stem(config.stem_width, config.width)
        self.positions = nn.Parameter(0.02 * torch.randn((height // 4) * (width // 4), config.width))
        self.blocks = nn.Sequential(*(_Block(config.width, config.heads) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for uint8 images (B, H, W, 3)."""
        tokens = self.stem(self.pixels(images)).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(tokens + self.positions)).mean(dim=1))


def adamw(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Return AdamW for `model`, with weight decay for matrices and filters only."""
    parameters = list(model.parameters())
    groups = [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1]},
        {"params": [parameter for parameter in parameters if parameter.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=weight_decay, betas=(0.9, 0.98))


def _stem(between: int, after: int) -> nn.Sequential:
    """Return two layers, from 3 to `between` to `after` channels, that each halve height and width."""
    return nn.Sequential(*_stem_layer(3, between), *_stem_layer(between, after))


def _stem_layer(before: int, after: int) -> tuple[nn.Module, ...]:
    """Return a 3×3 convolution, 2×2 max pooling, batch norm and GELU, from `before` to `after` channels."""
    convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
    return convolution, nn.MaxPool2d(2), nn.BatchNorm2d(after), nn.GELU()


class _Block(nn.Module):
    """Self-attention and a two-layer perceptron, each on normalised tokens (B, T, C) and added to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), _Attention(width, heads))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, MLP_RATIO * width),
            nn.GELU(),
            nn.Linear(MLP_RATIO * width, width),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(tokens)
        return tokens + self.perceptron(tokens)


class _Attention(nn.Module):
    """Multi-head self-attention on tokens (B, T, C), `heads` heads of C / `heads` channels."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.to_parts = nn.Linear(width, 3 * width)
        self.to_output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, width = tokens.shape
        parts = self.to_parts(tokens).view(batch, count, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        # Two products and a softmax, because on CPUs the backward pass of PyTorch's fused attention is slow.
        weights = (self.scale * queries @ keys.transpose(2, 3)).softmax(dim=3)
        return self.to_output((weights @ values).transpose(1, 2).reshape(batch, count, width))
