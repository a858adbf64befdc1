"""From an untrained network to the result of training and testing it."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from experiments.classification.evaluation import score
from experiments.classification.training import predict, train
from experiments.config.training import TrainingConfig
from experiments.context import Context
from experiments.models.precision import best_device
from experiments.models.processes import is_main
from experiments.results.trained import TrainedClassifier


def train_and_test(
    family: str,
    build: Callable[[np.ndarray, int], nn.Module],
    optimiser: Callable[[nn.Module], torch.optim.Optimizer],
    config: TrainingConfig,
    context: Context,
) -> TrainedClassifier:
    """Train a network on the profile's training images, then test the last weights once.

    The main process trains, since batch norm's statistics are of a whole batch; all processes test.
    `build` takes the training images (uint8, (N, H, W, 3)) and the number of classes; what it draws at
    random follows from the section's seed. `family` and the number of parameters name the model.
    """
    start = time.perf_counter()
    data = context.images()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = build(data.train_images, len(data.classes))
    network = network.to(memory_format=torch.channels_last).to(best_device())  # pyright: ignore[reportCallIssue]
    training = None
    if is_main(context.processes):
        training = train(
            network,
            optimiser(network),
            data.train_images,
            data.train_labels,
            config=config,
            context=context,
        )
    training, weights = context.processes.broadcast((training, network.state_dict()))
    network.load_state_dict(weights)

    testing = time.perf_counter()
    found = predict(network, data.test_images, training.precision, context.processes)
    images_per_second = len(data.test_images) / (time.perf_counter() - testing)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return TrainedClassifier(
        **score(found, data.test_labels, data.classes),
        model=f"{family} ({_in_words(parameters)})",
        parameters=parameters,
        epochs=config.epochs,
        precision=training.precision,
        seconds=round(training.earlier_seconds + time.perf_counter() - start, 1),
        images_per_second=round(images_per_second, 1),
        training_images=len(data.train_images),
        training_seconds=round(training.seconds, 1),
        loss=tuple(round(loss, 4) for loss in training.loss),
    )


def _in_words(parameters: int) -> str:
    """Return a number of parameters as it stands in a model's name, such as "2.0 M" or "7 k"."""
    return f"{parameters / 1e6:.1f} M" if parameters >= 100_000 else f"{parameters / 1e3:.0f} k"
