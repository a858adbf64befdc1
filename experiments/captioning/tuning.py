"""Fine-tuning: the same loop for an adapter and for a whole network."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.captioning.captioner import Captioner
from experiments.captioning.schedule import rate
from experiments.classification.checkpoint import Checkpoint, load, save
from experiments.context import Progress
from experiments.errors import UserError
from experiments.peak_memory import peak_memory


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to tune; `seed` decides the order of the photos and dropout."""

    seed: int
    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Pairs:
    """The frozen tower's features (N, T, F) of N photos, used in every epoch, and one caption for each."""

    features: Tensor
    captions: Sequence[str]


@dataclass(frozen=True)
class Tuning:
    """How a tuning went: the mean loss per token of each epoch, wall-clock seconds, peak memory in bytes."""

    loss: tuple[float, ...]
    seconds: float
    peak_bytes: int | None


def tune(
    captioner: Captioner,
    pairs: Pairs,
    recipe: Recipe,
    *,
    progress: Progress,
    checkpoint: Path | None = None,
) -> Tuning:
    """Tune in place whatever of the captioner's network requires gradients, by AdamW.

    With a `checkpoint` each epoch is kept there, and a later call with equal arguments goes on with the
    same numbers: an epoch depends on the weights, the seed and its own number alone.

    Raises:
        UserError: if the loss stops being finite.
    """
    trainable = {name: part for name, part in captioner.network.named_parameters() if part.requires_grad}
    optimiser = torch.optim.AdamW(trainable.values(), lr=recipe.learning_rate, weight_decay=0.0)
    reached = load(checkpoint, next(iter(trainable.values())).device) if checkpoint else None
    losses, earlier = (), 0.0
    if reached is not None:
        captioner.network.load_state_dict(reached.network, strict=False)
        optimiser.load_state_dict(reached.optimiser)
        losses, earlier = reached.loss, reached.seconds
        progress(len(losses), recipe.epochs, f"resumed after epoch {len(losses)}")
    start = time.perf_counter()
    with peak_memory() as peak:
        for epoch in range(len(losses), recipe.epochs):
            loss = _epoch(captioner, optimiser, pairs, recipe, epoch)
            losses = (*losses, loss)
            progress(epoch + 1, recipe.epochs, f"epoch {epoch + 1}/{recipe.epochs}, loss {loss:.2f}")
            if checkpoint:
                seconds = earlier + time.perf_counter() - start
                save(
                    Checkpoint(_copies(trainable), optimiser.state_dict(), "fp32", losses, seconds),
                    checkpoint,
                )
    captioner.network.eval()
    return Tuning(losses, earlier + time.perf_counter() - start, peak.bytes)


def _epoch(
    captioner: Captioner,
    optimiser: torch.optim.Optimizer,
    pairs: Pairs,
    recipe: Recipe,
    epoch: int,
) -> float:
    """Tune for one epoch (counted from 0) and return its mean loss over captions."""
    batches = list(_batches(len(pairs.captions), recipe, epoch))
    steps, total = recipe.epochs * len(batches), 0.0
    captioner.network.train()
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed * 1_000 + epoch)  # of dropout
        for done, chosen in enumerate(batches, start=epoch * len(batches)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * rate(done / steps)
            optimiser.zero_grad()
            loss = captioner.loss(
                pairs.features[chosen], [pairs.captions[int(position)] for position in chosen]
            )
            loss.backward()
            nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
            optimiser.step()
            if not math.isfinite(loss.item()):
                raise UserError(
                    f"tuning diverged in epoch {epoch + 1} (the loss is {loss.item()}): "
                    f"choose a learning rate below {recipe.learning_rate:g} in the profile."
                )
            total += loss.item() * len(chosen)
    return total / len(pairs.captions)


def _batches(count: int, recipe: Recipe, epoch: int) -> Iterator[Tensor]:
    """Yield the positions of each batch of an epoch, in an order that the seed and the epoch decide."""
    generator = torch.Generator().manual_seed(recipe.seed * 1_000 + epoch)
    yield from torch.randperm(count, generator=generator).split(recipe.batch_size)


def _copies(trainable: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    return {name: part.detach() for name, part in trainable.items()}
