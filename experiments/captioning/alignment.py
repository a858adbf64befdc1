"""Teaching a prefix captioner's parts to understand each other, on labelled photos without captions.

First the mapper alone learns to turn a photo into its class's word, as the language model embeds it. Then the
language model learns, from generic captions, to read what the mapper says. The first step is needed: a
language model that cannot read its prefix learns within few steps to ignore it.

The two learn from different photos. The mapper is far surer of photos that it has learnt from than of others,
and a language model that learns from its prefixes of those misreads the less sure ones of all other photos.
Nor does the language model learn the photos' classes: its captions name what the mapper says, right or wrong,
since a caption that contradicts its prefix would teach it not to believe what it reads.

A few templates would cost the language model its language, if nothing were done about it. Its embeddings,
which are also its output layer, stay as they are: nearly every word is absent from the templates, and
Adam's steps would move them all. And in the end the weights go only a part of the way from the published
to the trained ones, which keeps most of both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
models", arXiv:2109.01903).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.captioning.captioners.captioner import cross_entropy, tokenise
from experiments.captioning.captioners.prefix import PrefixCaptioner
from experiments.config.captioner import Reading, Saying
from experiments.context import Progress
from experiments.models.checkpoint import Checkpoint, load, save
from experiments.models.feature_store import batch_of
from experiments.models.schedule import learning_rate_factor
from experiments.models.seeding import seeded

CHECKPOINT_STEPS = 30
TENTHS = 10
_SCALE = 20.0
"""Between a cosine and a logit, where the mapper learns to tell words apart."""
_BATCH = 250
_RISE, _HOLD = 0.1, 0.5
"""Shares of a training after which the learning rate has risen, and, in reading, begins to fall."""


@dataclass(frozen=True)
class Labelled:
    """Features (N, T, F) of labelled photos, their labels (N,), and the names of the classes."""

    features: np.ndarray
    labels: Tensor
    classes: tuple[str, ...]

    def at(self, chosen: np.ndarray) -> "Labelled":
        """Return those of the photos at positions `chosen`."""
        return Labelled(self.features[chosen], self.labels[chosen], self.classes)


def learn_to_say(captioner: PrefixCaptioner, data: Labelled, config: Saying, seed: int) -> None:
    """Train the mapper in place to turn a photo into the embedding of its class's word, and freeze it.

    The learning rate falls to nothing, without which the end would depend on the last batches.
    """
    mapper, words = captioner.mapper, _embedded(captioner, data.classes)
    optimiser = torch.optim.AdamW(mapper.parameters(), lr=config.learning_rate)
    generator = torch.Generator().manual_seed(seed)
    batches = [
        chosen
        for _ in range(config.epochs)
        for chosen in torch.randperm(len(data.labels), generator=generator).split(config.batch_size)
    ]
    with seeded(seed):
        for done, chosen in enumerate(batches):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * learning_rate_factor(done / len(batches), warm_up=_RISE)
            features = batch_of(data.features, chosen).to(captioner.device)
            prefixes = mapper(functional.dropout(features, config.dropout))
            loss = saying_loss(prefixes, data.labels[chosen].to(captioner.device), words, config)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    mapper.requires_grad_(False)


def saying_loss(prefixes: Tensor, labels: Tensor, words: Tensor, config: Saying) -> Tensor:
    """Return how badly prefixes (N, T, D) say the words, embedded as (K, D), of labels (N,).

    That is how hard it is to tell from the mean of a prefix which of the words is meant, by the directions
    in which they differ, and, `nearness` times, how far each vector points from the word itself.
    """
    logits = _SCALE * _resemblance(prefixes, words)
    telling = functional.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
    cosines = functional.cosine_similarity(prefixes, words[labels][:, None], dim=2)
    return telling + config.nearness * (1 - cosines).mean()


@torch.no_grad()
def as_said(captioner: PrefixCaptioner, data: Labelled) -> Labelled:
    """Return the photos with the classes that the mapper says in place of their own."""
    words, photos = _embedded(captioner, data.classes), range(len(data.labels))
    batches = [batch_of(data.features, photos[first : first + _BATCH]) for first in photos[::_BATCH]]
    said = [_resemblance(captioner.mapper(batch.to(captioner.device)), words).argmax(1) for batch in batches]
    return Labelled(data.features, torch.cat(said).cpu(), data.classes)


def learn_to_read(
    captioner: PrefixCaptioner, data: Labelled, config: Reading, *, seed: int, path: Path, progress: Progress
) -> tuple[float, ...]:
    """Train the language model in place on generic captions; return the mean loss of each tenth.

    Its embeddings stay, and its other weights are interpolated in the end.
    Every `CHECKPOINT_STEPS` steps end with a checkpoint at `path`, from which a later call with equal
    arguments goes on with the same numbers: a step depends on the weights, the seed and its number alone.
    """
    network = captioner.network
    network.get_input_embeddings().requires_grad_(False)
    trained = {name: part for name, part in network.named_parameters() if part.requires_grad}
    published = {name: part.detach().clone() for name, part in trained.items()}
    optimiser = torch.optim.AdamW(trained.values(), lr=config.learning_rate, weight_decay=0.0, fused=True)
    reached = load(path, captioner.device)
    losses: list[float] = []
    if reached is not None:
        network.load_state_dict(reached.network)
        optimiser.load_state_dict(reached.optimiser)
        losses = list(reached.loss)
        progress(len(losses), config.steps, f"resumed after step {len(losses)}")
    network.train()
    for step in range(len(losses), config.steps):
        for group in optimiser.param_groups:
            factor = learning_rate_factor(step / config.steps, warm_up=_RISE, hold=_HOLD)
            group["lr"] = config.learning_rate * factor
        optimiser.zero_grad()
        loss = _generic_loss(captioner, data, config, np.random.default_rng((seed, step)))
        loss.backward()
        nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        done = step + 1
        note = f"step {done}/{config.steps}, loss {losses[-1]:.2f}" if done % TENTHS == 0 else ""
        progress(done, config.steps, note)
        if done % CHECKPOINT_STEPS == 0 and done < config.steps:
            state = network.state_dict(), optimiser.state_dict()
            save(Checkpoint(*state, captioner.precision, tuple(losses), seconds=0.0), path)
    network.eval()
    with torch.no_grad():
        for name, part in trained.items():
            part.copy_(published[name].lerp(part, config.interpolation))
    return tuple(float(tenth.mean()) for tenth in np.array_split(losses, min(TENTHS, len(losses))))


def _resemblance(prefixes: Tensor, words: Tensor) -> Tensor:
    """Return the cosines (N, K) between the means of prefixes (N, T, D) and words (K, D), less their mean."""
    differences = functional.normalize(words - words.mean(dim=0), dim=1)
    return functional.normalize(prefixes.mean(dim=1), dim=1) @ differences.T


def _generic_loss(
    captioner: PrefixCaptioner, data: Labelled, config: Reading, random: np.random.Generator
) -> Tensor:
    """Return the loss of a batch of photos with generic captions, all drawn from `random`."""
    chosen = random.choice(len(data.labels), min(config.batch_size, len(data.labels)), replace=False)
    classes = [data.classes[label] for label in data.labels[chosen].tolist()]
    templates = [
        config.templates[number] for number in random.integers(len(config.templates), size=len(chosen))
    ]
    captions = [generic(template, name) for template, name in zip(templates, classes, strict=True)]
    tokens, mask = (part.to(captioner.device) for part in tokenise(captioner.tokenizer, captions))
    telling = torch.tensor(sorted({token for row in _class_tokens(captioner, data.classes) for token in row}))
    weights = mask * (1 + (config.class_weight - 1) * torch.isin(tokens, telling.to(tokens.device)))
    prefixes = captioner.mapper(batch_of(data.features, chosen).to(captioner.device))
    return cross_entropy(captioner.token_logits(prefixes, tokens, mask), tokens, weights.float())


def generic(template: str, name: str) -> str:
    """Fill a template's gap with a class name and its indefinite article."""
    article = "an" if name[0].lower() in "aeiou" else "a"
    return template.replace("{}", f"{article} {name}")


def _class_tokens(captioner: PrefixCaptioner, classes: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each class name as they stand within a sentence."""
    return [captioner.tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in classes]


def _embedded(captioner: PrefixCaptioner, classes: Sequence[str]) -> Tensor:
    """Return vectors (K, D): the mean embedding of each class name's tokens."""
    table = captioner.network.get_input_embeddings().weight.detach()
    return torch.stack([table[row].mean(dim=0) for row in _class_tokens(captioner, classes)])
