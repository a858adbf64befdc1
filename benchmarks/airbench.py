"""The CNN of `offline` beside airbench94 in plain PyTorch (Jordan, 2024, arXiv:2404.00498), seed by seed.

Both learn from the same training images and are tested once on the same test images. The network is the same;
airbench94 trains it longer, with a bias of the whitening filters and Lookahead, and tests six views of each.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.classifiers import placed, trained
from benchmarks.pairs import duration
from benchmarks.table import Found, Spread
from experiments import profile
from experiments.classification import cnn
from experiments.classification.inputs import augmented_batches
from experiments.classification.training import TEST_BATCH, predict
from experiments.datasets.cifar10 import load
from experiments.datasets.images import ClassifiedImages
from experiments.models.precision import best_device
from experiments.models.processes import ALONE
from experiments.models.seeding import seeded
from experiments.project import open_project

PUBLISHED = 0.94
"""The share of test images that airbench94 names rightly after training on all 50,000 images (section 3)."""

_EPOCHS, _BATCH, _WIDTHS, _TRANSLATE = 9.9, 1024, (64, 256, 256), 2
_MOMENTUM, _SMOOTHING, _BIAS_RATE = 0.85, 0.2, 64
_PER_EXAMPLE = 1024 * (1 + 1 / (1 - _MOMENTUM))
_RATE, _DECAY = 11.5 / _PER_EXAMPLE, 0.0153 * _BATCH / _PER_EXAMPLE
_FIRST, _PEAK_AT, _LAST = 0.2, 0.23, 0.07
_WHITENING_EPOCHS = 3
"""For so many epochs the bias of the whitening filters is trained."""
_LOOKAHEAD_STEPS, _LOOKAHEAD = 5, 0.95**5
"""How often Lookahead averages weights, and how much of the old average stays in the end."""


def compared(seed: int) -> Found:
    """Compare the seconds of training, and tell the accuracies of both."""
    project = open_project(profile.DEFAULT)
    config, section = project.profile.cnn, project.profile.images
    assert config is not None
    config = config.model_copy(update={"seed": seed})
    images = load(section, project.downloads, print)  # pyright: ignore[reportArgumentType]
    with seeded(seed):
        network = placed(cnn.network(images.train_images, len(images.classes), config.widths))
    optimiser = cnn.sgd(network, config.learning_rate, config.weight_decay)
    done = trained(network, optimiser, images, config)
    found = predict(network, images.test_images, done.precision, ALONE)
    own = float((found.predictions == images.test_labels).mean())
    plain = _airbench94(images, seed)
    seconds = duration(lambda: _learn(plain, images, seed))
    theirs = float((_named(plain, images.test_images) == images.test_labels).mean())
    level = "which it reaches" if theirs >= PUBLISHED else "which it does not reach"
    return Found(
        ours=Spread.of([done.seconds]),
        theirs=Spread.of([seconds]),
        unit="s",
        remark=f"top-1 {own:.2%} ({done.precision}, {config.epochs} epochs) against {theirs:.2%} "
        f"(fp32, {_EPOCHS} epochs; published {PUBLISHED:.0%} on 50,000 images, {level} on "
        f"{len(images.train_labels):,})",
    )


def seed_1() -> Found:
    """Compare from the first seed; each takes most of an hour on two cores."""
    return compared(1)


def seed_2() -> Found:
    """Compare from the second seed."""
    return compared(2)


def seed_3() -> Found:
    """Compare from the third seed."""
    return compared(3)


def _airbench94(images: ClassifiedImages, seed: int) -> nn.Sequential:
    with seeded(seed):
        network = cnn.network(images.train_images, len(images.classes), _WIDTHS)
    whitening = network[1]
    assert isinstance(whitening, nn.Conv2d)
    whitening.bias = nn.Parameter(torch.zeros(whitening.out_channels))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12
    return network.to(best_device())


def _learn(network: nn.Sequential, images: ClassifiedImages, seed: int) -> None:
    """Train by the schedule of airbench94."""
    an_epoch = len(images.train_labels) // _BATCH
    steps = math.ceil(an_epoch * _EPOCHS)
    optimiser = _optimiser(network)
    peaks = [group["lr"] for group in optimiser.param_groups]
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    for epoch in range(math.ceil(_EPOCHS)):
        network[1].bias.requires_grad_(epoch < _WHITENING_EPOCHS)
        batches = augmented_batches(
            images.train_images, images.train_labels, an_epoch,
            translate=_TRANSLATE, seed=seed, epoch=epoch,
        )  # fmt: skip
        for step, (pixels, labels) in enumerate(batches, start=epoch * an_epoch):
            if step == steps:
                break
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * _rate(step / steps)
            optimiser.zero_grad()
            logits, wanted = network(pixels.to(best_device())), labels.to(best_device())
            functional.cross_entropy(logits, wanted, label_smoothing=_SMOOTHING, reduction="sum").backward()
            optimiser.step()
            if (step + 1) % _LOOKAHEAD_STEPS == 0:
                _look_ahead(network, average, _LOOKAHEAD * ((step + 1) / steps) ** 3)
        print(f"airbench94: epoch {epoch + 1} of {_EPOCHS}", flush=True)
    _look_ahead(network, average, 1.0)


def _optimiser(network: nn.Module) -> torch.optim.Optimizer:
    """Return Nesterov SGD, faster for the biases of batch norms, with a decay that no rate changes."""
    norms = [part.bias for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    fast = {id(bias) for bias in norms}
    rest = [each for each in network.parameters() if id(each) not in fast and each.requires_grad]
    rate = _RATE * _BIAS_RATE
    groups = [
        {"params": norms, "lr": rate, "weight_decay": _DECAY / rate},
        {"params": rest, "lr": _RATE, "weight_decay": _DECAY / _RATE},
    ]
    return torch.optim.SGD(groups, momentum=_MOMENTUM, nesterov=True)


def _rate(done: float) -> float:
    """Return the share of the peak rate when the share `done` of all steps is done."""
    if done < _PEAK_AT:
        return _FIRST + (1 - _FIRST) * done / _PEAK_AT
    return 1 - (1 - _LAST) * (done - _PEAK_AT) / (1 - _PEAK_AT)


@torch.no_grad()
def _look_ahead(network: nn.Module, average: dict[str, Tensor], kept: float) -> None:
    """Bring the average nearer to the weights, but for the share `kept`, and the weights to the average."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor, 1 - kept)
            tensor.copy_(average[name])


@torch.inference_mode()
def _named(network: nn.Module, images: np.ndarray) -> np.ndarray:
    """Return the class of each image, by the mean over it, two shifted by a pixel, and the mirrored three.

    The unshifted ones count as much as the shifted ones together.
    """
    network.eval()
    found = []
    for first in range(0, len(images), TEST_BATCH):
        batch = torch.tensor(images[first : first + TEST_BATCH])
        padded = torch.from_numpy(np.pad(batch.numpy(), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect"))
        views = [each.to(best_device()) for each in (batch, padded[:, :-2, :-2], padded[:, 2:, 2:])]
        logits = [network(view) + network(view.flip(2)) for view in views]
        found.append((2 * logits[0] + logits[1] + logits[2]).argmax(1).cpu().numpy())
    return np.concatenate(found)
