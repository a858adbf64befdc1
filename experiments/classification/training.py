"""From an untrained network to the result of training it on labelled images and testing it."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.classification.evaluation import Predictions, predictions_of, score
from experiments.classification.inputs import augmented_batches
from experiments.config.training import TrainingConfig
from experiments.context import Context, Progress
from experiments.models.checkpoint import Checkpoint, load, save
from experiments.models.precision import autocast, best_device
from experiments.models.processes import Processes, is_main, shared_out
from experiments.models.schedule import learning_rate_factor
from experiments.models.seeding import seeded
from experiments.results.classification import Precision
from experiments.results.trained import TrainedClassifier
from pipeline.errors import UserError

TEST_BATCH = 500
_WARM_UP, _FIRST = 0.2, 0.2
"""For this share of a training the learning rate rises, from this share of its peak."""


@dataclass(frozen=True)
class Training:
    """How a training went.

    `loss` is the mean training loss of each epoch, computed at `precision`. `seconds` is the wall-clock
    time of all finished epochs, of which `earlier_seconds` passed in runs before this one.
    """

    loss: tuple[float, ...]
    precision: Precision
    seconds: float
    earlier_seconds: float


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
    random follows from the config's seed. `family` and the number of parameters name the model.
    """
    start = time.perf_counter()
    data = context.images()
    with seeded(config.seed):
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


def train(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    config: TrainingConfig,
    context: Context,
) -> Training:
    """Train `network` in place by cross-entropy, on the device where it lies.

    The network maps uint8 images (B, H, W, 3) to logits (B, K); `images` is uint8 (N, H, W, 3), `labels`
    int64 (N,). The learning rates that `optimiser` comes with are the peaks of `learning_rate_factor`.
    Each epoch ends with a checkpoint in the stage's scratch folder. A later call with equal arguments
    goes on from there and ends with the same weights, because an epoch depends on the checkpoint, the
    seed and its own number alone (on one machine, with one number of threads).

    Raises:
        UserError: if the loss stops being finite.
    """
    device = next(network.parameters()).device
    path = context.scratch / "checkpoint.pt"
    data = _Data(images, labels, config)
    peaks = tuple(group["lr"] for group in optimiser.param_groups)
    reached = load(path, device)
    if reached is None:
        precision = context.precision(config.precision)
        reached = Checkpoint(network.state_dict(), optimiser.state_dict(), precision, (), seconds=0.0)
    else:
        network.load_state_dict(reached.network)
        optimiser.load_state_dict(reached.optimiser)
        done = len(reached.loss)
        context.progress(done * data.batches, config.epochs * data.batches, f"resumed after epoch {done}")

    earlier_seconds = reached.seconds
    learner = _Learner(network, optimiser, peaks, reached.precision)
    for epoch in range(len(reached.loss), config.epochs):
        start = time.perf_counter()
        loss = _epoch(learner, data, epoch, context.progress)
        reached = Checkpoint(
            network=network.state_dict(),
            optimiser=optimiser.state_dict(),
            precision=reached.precision,
            loss=(*reached.loss, loss),
            seconds=reached.seconds + time.perf_counter() - start,
        )
        save(reached, path)
    return Training(reached.loss, reached.precision, reached.seconds, earlier_seconds)


def predict(
    network: nn.Module, images: np.ndarray, precision: Precision, processes: Processes
) -> Predictions:
    """Predict the classes of uint8 images of shape (N, H, W, 3), all processes sharing the work.

    Each process has the same network.
    """
    device = next(network.parameters()).device
    network.eval()

    @torch.inference_mode()
    def probabilities(first: int) -> np.ndarray:
        batch = torch.tensor(images[first : first + TEST_BATCH], device=device)
        with autocast(precision, device):
            logits = network(batch)
        return logits.float().softmax(dim=1).cpu().numpy()

    return predictions_of(shared_out(processes, probabilities, range(0, len(images), TEST_BATCH)))


@dataclass(frozen=True)
class _Data:
    """The training images and labels, and the config that says how to use them."""

    images: np.ndarray
    labels: np.ndarray
    config: TrainingConfig

    @property
    def batches(self) -> int:
        """The number of batches in an epoch, none of them smaller than `batch_size` if there is a choice."""
        return max(1, len(self.images) // self.config.batch_size)


@dataclass(frozen=True)
class _Learner:
    """A network with its optimiser, the peak learning rate of each parameter group, and the precision."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    peaks: tuple[float, ...]
    precision: Precision

    def step(self, images: Tensor, labels: Tensor, label_smoothing: float, factor: float) -> float:
        """Learn from a batch at `factor` times the peak learning rates; return the loss before the step."""
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        device = next(self.network.parameters()).device
        self.optimiser.zero_grad()
        with autocast(self.precision, device):
            logits = self.network(images.to(device))
        loss = functional.cross_entropy(logits.float(), labels.to(device), label_smoothing=label_smoothing)
        loss.backward()
        self.optimiser.step()
        return loss.item()


def _epoch(learner: _Learner, data: _Data, epoch: int, progress: Progress) -> float:
    """Train for one epoch (counted from 0) and return its mean loss."""
    config, steps = data.config, data.config.epochs * data.batches
    batches = augmented_batches(
        data.images, data.labels, data.batches, translate=config.translate, seed=config.seed, epoch=epoch
    )
    learner.network.train()
    total, seen = 0.0, 0
    for done, (images, labels) in enumerate(batches, start=epoch * data.batches):
        factor = learning_rate_factor(done / steps, warm_up=_WARM_UP, first=_FIRST)
        loss = learner.step(images, labels, config.label_smoothing, factor)
        if not math.isfinite(loss):
            raise UserError(
                f"training diverged in epoch {epoch + 1} (the loss is {loss}): "
                f"choose a learning_rate below {config.learning_rate:g} in the profile"
            )
        total += loss * len(images)
        seen += len(images)
        last = done + 1 == (epoch + 1) * data.batches
        progress(
            done + 1, steps, f"epoch {epoch + 1}/{config.epochs}, loss {total / seen:.2f}" if last else ""
        )
    return total / seen


def _in_words(parameters: int) -> str:
    """Return a number of parameters as it stands in a model's name, such as "2.0 M" or "7 k"."""
    return f"{parameters / 1e6:.1f} M" if parameters >= 100_000 else f"{parameters / 1e3:.0f} k"
