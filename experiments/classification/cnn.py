"""A convolutional network trained from scratch, after airbench94 (Jordan, 2024, arXiv:2404.00498)."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from experiments.classification.inputs import Pixels
from experiments.classification.training import train_and_test
from experiments.config.training import CnnConfig
from experiments.context import Context
from experiments.results.trained import TrainedClassifier

WHITENING_IMAGES = 5_000
BIAS_RATE = 64
"""How much faster than the weights the biases of the batch norms learn."""


def cnn(config: CnnConfig, inputs: Mapping[str, object], context: Context) -> TrainedClassifier:
    """Train and test the convolutional network; it needs no other stage's result."""

    def build(train_images: np.ndarray, classes: int) -> nn.Module:
        return network(train_images, classes, config.widths)

    def optimiser(model: nn.Module) -> torch.optim.Optimizer:
        return sgd(model, config.learning_rate, config.weight_decay)

    return train_and_test("CNN", build, optimiser, config, context)


def network(train_images: np.ndarray, classes: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Return the untrained network; it maps uint8 images (B, H, W, 3) to logits (B, `classes`).

    Fixed whitening filters on 2×2 patches come first; then one block of two convolutions per entry of
    `widths`, each of which halves height and width; then the maximum over all places, and a linear layer.
    """
    pixels = Pixels(train_images)
    whitening = _whitening(pixels(torch.tensor(train_images[:WHITENING_IMAGES])))
    channels = (whitening.out_channels, *widths)
    blocks = [_block(*pair) for pair in pairwise(channels)]
    head = nn.Linear(widths[-1], classes, bias=False)
    return nn.Sequential(
        pixels, whitening, nn.GELU(), *blocks, nn.AdaptiveMaxPool2d(1), nn.Flatten(), head, _Scale(1 / 9)
    )


def sgd(model: nn.Module, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """Return Nesterov SGD for all trainable parameters of `model`.

    Biases get `BIAS_RATE` times the learning rate and as much less decay, so that all shrink equally fast.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trainable if parameter.ndim > 1]},
        {
            "params": [parameter for parameter in trainable if parameter.ndim == 1],
            "lr": learning_rate * BIAS_RATE,
            "weight_decay": weight_decay / BIAS_RATE,
        },
    ]
    return torch.optim.SGD(groups, lr=learning_rate, weight_decay=weight_decay, momentum=0.85, nesterov=True)


def _block(before: int, after: int) -> nn.Sequential:
    """Return two 3×3 convolutions from `before` to `after` channels, with 2×2 max pooling after the first."""
    return nn.Sequential(
        _convolution(before, after), nn.MaxPool2d(2), _norm(after), nn.GELU(),
        _convolution(after, after), _norm(after), nn.GELU(),
    )  # fmt: skip


def _convolution(before: int, after: int) -> nn.Conv2d:
    """Return a 3×3 convolution whose first filters pass their input on (as far as there are channels)."""
    convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
    nn.init.dirac_(convolution.weight.data[: min(before, after)])
    return convolution


def _norm(channels: int) -> nn.BatchNorm2d:
    """Return a batch norm that learns a bias but no scale, and forgets quickly, as a short training needs."""
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


def _whitening(images: Tensor) -> nn.Conv2d:
    """Return a fixed convolution that whitens the 2×2 patches of `images` (N, 3, H, W).

    Its 24 filters are the 12 eigenvectors of the patches' covariance, each divided by the standard
    deviation along it, and their negatives.
    """
    patches = images.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T).double())
    filters = (vectors / (values.clamp(min=0) + 5e-4).sqrt()).T.float().view(12, 3, 2, 2)
    convolution = nn.Conv2d(3, 24, kernel_size=2, bias=False)
    convolution.weight.data = torch.cat([filters, -filters])
    convolution.weight.requires_grad_(False)
    return convolution


class _Scale(nn.Module):
    """Multiply by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        return values * self.factor
