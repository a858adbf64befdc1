"""Fine-tuning: the same loop for an adapter and for a whole network."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from experiments.captioning.captioners.captioner import Captioner, tokenise
from experiments.context import Progress
from experiments.models.checkpoint import Checkpoint, load, save
from experiments.models.feature_store import batch_of
from experiments.models.processes import ALONE, Processes, is_main
from experiments.models.schedule import learning_rate_factor
from experiments.models.seeding import seeded
from pipeline.errors import UserError


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

    features: np.ndarray
    captions: Sequence[str]


@dataclass(frozen=True)
class Tuning:
    """How a tuning went: the mean loss per token of each epoch, and wall-clock seconds."""

    loss: tuple[float, ...]
    seconds: float


def tune(
    captioner: Captioner,
    pairs: Pairs,
    recipe: Recipe,
    *,
    progress: Progress,
    checkpoint: Path | None = None,
    processes: Processes = ALONE,
) -> Tuning:
    """Tune in place whatever of the captioner's network requires gradients, by AdamW.

    Several processes share each batch, whose gradient is the sum of theirs: the same, up to rounding, as
    that of one process, but for dropout, which each draws for its part.
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
    for epoch in range(len(losses), recipe.epochs):
        loss = _epoch(captioner, optimiser, pairs, recipe, epoch=epoch, processes=processes)
        losses = (*losses, loss)
        progress(epoch + 1, recipe.epochs, f"epoch {epoch + 1}/{recipe.epochs}, loss {loss:.2f}")
        if checkpoint and is_main(processes):
            seconds = earlier + time.perf_counter() - start
            weights = {name: part.detach() for name, part in trainable.items()}
            save(Checkpoint(weights, optimiser.state_dict(), "fp32", losses, seconds), checkpoint)
    captioner.network.eval()
    return Tuning(losses, earlier + time.perf_counter() - start)


def _epoch(
    captioner: Captioner,
    optimiser: torch.optim.Optimizer,
    pairs: Pairs,
    recipe: Recipe,
    *,
    epoch: int,
    processes: Processes,
) -> float:
    """Tune for one epoch, counted from 0, and return its mean loss over captions.

    The seed and the epoch decide the order of the captions, and dropout.
    """
    seed = recipe.seed * 1_000 + epoch
    order = torch.randperm(len(pairs.captions), generator=torch.Generator().manual_seed(seed))
    batches = order.split(recipe.batch_size)
    steps, total = recipe.epochs * len(batches), 0.0
    captioner.network.train()
    with seeded(seed):
        for done, chosen in enumerate(batches, start=epoch * len(batches)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.learning_rate * learning_rate_factor(done / steps)
            optimiser.zero_grad()
            loss = _backward(captioner, pairs, chosen.tolist(), processes)
            nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
            optimiser.step()
            if not math.isfinite(loss):
                raise UserError(
                    f"tuning diverged in epoch {epoch + 1} (the loss is {loss}): "
                    f"choose a learning rate below {recipe.learning_rate:g} in the profile."
                )
            total += loss * len(chosen)
    return total / len(pairs.captions)


def _backward(captioner: Captioner, pairs: Pairs, chosen: Sequence[int], processes: Processes) -> float:
    """Add the gradient of a batch's mean loss per token, to which each process adds its captions' part."""
    own = chosen[processes.rank :: processes.count]
    share = _tokens(captioner, pairs, own) / _tokens(captioner, pairs, chosen)
    loss = torch.zeros((), device=next(captioner.network.parameters()).device)
    if own:
        captions = [pairs.captions[position] for position in own]
        loss = share * captioner.loss(batch_of(pairs.features, own), captions)
        loss.backward()
    if processes.count > 1:
        for part in captioner.network.parameters():
            if part.requires_grad:
                part.grad = processes.all_reduce(torch.zeros_like(part) if part.grad is None else part.grad)
    return float(processes.all_reduce(loss.detach()))


def _tokens(captioner: Captioner, pairs: Pairs, positions: Sequence[int]) -> int:
    """Count the tokens of captions, the end of each included."""
    captions = [pairs.captions[position] for position in positions]
    return int(tokenise(captioner.tokenizer, captions)[1].sum()) if captions else 0
