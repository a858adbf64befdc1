"""Training a network on labelled images, and asking it for class probabilities."""

import copy
import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.classification.augmentation import augmented_batches
from experiments.classification.checkpoint import Checkpoint, load, save
from experiments.classification.precision import autocast, probe
from experiments.context import Context, Progress
from experiments.errors import UserError
from experiments.results.classification import Precision
from experiments.sections.training import TrainingSection

PROBE_IMAGES = 100


@dataclass(frozen=True)
class Training:
    """A trained network and how it came about.

    `loss` is the mean training loss of each epoch. `seconds` is the wall-clock time of all finished
    epochs, of which `earlier_seconds` passed in runs before this one.
    """

    network: nn.Module
    precision: Precision
    loss: tuple[float, ...]
    seconds: float
    earlier_seconds: float


def train(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    section: TrainingSection,
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
    # Copies, because the arrays are shared and read-only, which torch tensors cannot be.
    data = _Data(torch.tensor(images, device=device), torch.tensor(labels, device=device), section)
    peaks = tuple(group["lr"] for group in optimiser.param_groups)
    reached = load(path, device)
    if reached is None:
        precision = _faster_precision(network, data)
        reached = Checkpoint(network.state_dict(), optimiser.state_dict(), precision, loss=(), seconds=0.0)
    else:
        network.load_state_dict(reached.network)
        optimiser.load_state_dict(reached.optimiser)
        done = len(reached.loss)
        context.progress(done * data.batches, section.epochs * data.batches, f"resumed after epoch {done}")

    earlier_seconds = reached.seconds
    learner = _Learner(network, optimiser, peaks, reached.precision)
    for epoch in range(len(reached.loss), section.epochs):
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
    return Training(network, reached.precision, reached.loss, reached.seconds, earlier_seconds)


@torch.inference_mode()
def predict(
    network: nn.Module, images: np.ndarray, precision: Precision, batch_size: int = 500
) -> np.ndarray:
    """Return the class probabilities, float32 of shape (N, K), of uint8 images of shape (N, H, W, 3)."""
    device = next(network.parameters()).device
    network.eval()
    probabilities = []
    for start in range(0, len(images), batch_size):
        batch = torch.tensor(images[start : start + batch_size], device=device)
        with autocast(precision, device):
            logits = network(batch)
        probabilities.append(logits.float().softmax(dim=1).cpu())
    return torch.cat(probabilities).numpy()


def learning_rate_factor(done: float, warm_up: float = 0.2) -> float:
    """Return the share of the peak learning rate to use when the share `done` in [0, 1) of all steps is done.

    It rises linearly from a fifth to 1 while `done` < `warm_up`, then falls linearly to 0.
    """
    return 0.2 + 0.8 * done / warm_up if done < warm_up else (1 - done) / (1 - warm_up)


@dataclass(frozen=True)
class _Data:
    """The training images and labels as tensors on the device, and the section that says how to use them."""

    images: Tensor
    labels: Tensor
    section: TrainingSection

    @property
    def batches(self) -> int:
        """The number of batches in an epoch, none of them smaller than `batch_size` if there is a choice."""
        return max(1, len(self.images) // self.section.batch_size)


@dataclass(frozen=True)
class _Learner:
    """A network with its optimiser, the peak learning rate of each parameter group, and the precision."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    peaks: tuple[float, ...]
    precision: Precision

    def step(self, images: Tensor, labels: Tensor, label_smoothing: float, rate: float) -> float:
        """Learn from a batch at `rate` times the peak learning rates, and return the loss before the step."""
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate
        self.optimiser.zero_grad()
        loss = _backward(self.network, images, labels, label_smoothing, self.precision)
        self.optimiser.step()
        return loss


def _epoch(learner: _Learner, data: _Data, epoch: int, progress: Progress) -> float:
    """Train for one epoch (counted from 0) and return its mean loss."""
    section, steps = data.section, data.section.epochs * data.batches
    batches = augmented_batches(
        data.images, data.labels, data.batches, translate=section.translate, seed=section.seed, epoch=epoch
    )
    learner.network.train()
    total, seen = 0.0, 0
    for done, (images, labels) in enumerate(batches, start=epoch * data.batches):
        loss = learner.step(images, labels, section.label_smoothing, learning_rate_factor(done / steps))
        if not math.isfinite(loss):
            raise UserError(
                f"training diverged in epoch {epoch + 1} (the loss is {loss}): "
                f"choose a learning_rate below {section.learning_rate:g} in the profile"
            )
        total += loss * len(images)
        seen += len(images)
        last = done + 1 == (epoch + 1) * data.batches
        progress(
            done + 1, steps, f"epoch {epoch + 1}/{section.epochs}, loss {total / seen:.2f}" if last else ""
        )
    return total / seen


def _backward(
    network: nn.Module, images: Tensor, labels: Tensor, label_smoothing: float, precision: Precision
) -> float:
    """Add the gradient of the mean cross-entropy of a batch to the parameters and return the loss."""
    with autocast(precision, images.device):
        logits = network(images)
    loss = functional.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)
    loss.backward()
    return loss.item()


def _faster_precision(network: nn.Module, data: _Data) -> Precision:
    """Time a batch's forward and backward pass on a copy of the network at each precision."""
    trial = copy.deepcopy(network).train()
    # Many small batches, because few large ones say little while other work shares the processor.
    size, smoothing = min(PROBE_IMAGES, data.section.batch_size), data.section.label_smoothing
    images, labels = data.images[:size], data.labels[:size]
    return probe(lambda precision: _backward(trial, images, labels, smoothing, precision))
