"""The benchmark's airbench94 learns, and does what its description says of rates, averages and views."""

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import airbench
from experiments.datasets.images import ClassifiedImages


def coloured(count: int, seed: int) -> ClassifiedImages:
    """Return noisy images whose class is their colour."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    images = random.integers(0, 100, (count, 32, 32, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 120
    return ClassifiedImages(("red", "green", "blue"), images, labels, images, labels)


def test_it_learns_and_freezes_the_bias_of_the_whitening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airbench, "_BATCH", 32)
    monkeypatch.setattr(airbench, "_EPOCHS", 3.5)
    images = coloured(128, 1)
    network = airbench._airbench94(images, seed=1)
    airbench._learn(network, images, seed=1)
    assert (airbench._named(network, images.test_images) == images.test_labels).mean() > 0.9
    whitening = network[1]
    assert isinstance(whitening, nn.Conv2d) and whitening.bias is not None
    assert whitening.bias.abs().sum() > 0 and not whitening.bias.requires_grad


def test_the_rate_rises_to_its_peak_and_falls_to_its_end() -> None:
    told = [airbench._rate(done) for done in (0, 0.115, 0.23, 0.615, 1)]
    assert told == pytest.approx([0.2, 0.6, 1, 0.535, 0.07])


def test_looking_ahead_brings_weights_and_average_together() -> None:
    network = nn.Linear(1, 1, bias=False)
    network.weight.data[:] = 4
    average = {"weight": torch.zeros(1, 1)}
    airbench._look_ahead(network, average, kept=0.75)
    assert float(network.weight.detach()) == float(average["weight"]) == 1
