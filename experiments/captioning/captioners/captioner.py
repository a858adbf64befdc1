"""What every captioner can do: the protocol of its kinds, and what they do alike."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.config.tuning import GenerationConfig
from experiments.results.caption import Caption
from experiments.results.source import Source


class Captioner(Protocol):
    """A frozen image tower and a network that writes captions from its features.

    Implementations are frozen dataclasses, so that ``dataclasses.replace(captioner, network=...)`` is the
    same captioner with another network: an adapted one, or a copy.
    """

    @property
    def network(self) -> Any:
        """Return what fine-tuning may change: a model of transformers, or PEFT's wrapper around one."""
        ...

    @property
    def tokenizer(self) -> Any:
        """Return the network's own tokenizer, of transformers."""
        ...

    @property
    def model(self) -> str:
        """Return the name under which the captioner appears in the report."""
        ...

    @property
    def weights(self) -> tuple[Source, ...]:
        """Return where its parts come from; random ones come from nowhere."""
        ...

    @property
    def stores_transposed(self) -> bool:
        """Return whether the network's linear layers are GPT-2's Conv1D, which store weights transposed."""
        ...

    def encode(self, photos: Sequence[np.ndarray]) -> Tensor:
        """Return the features, float32 (N, T, F) on the CPU, of uint8 photos (H, W, 3) of any size.

        They do not depend on `network`, so that they need computing only once.
        """
        ...

    def image_fingerprint(self) -> str:
        """Return a hash of all that `encode` depends on: weights, architecture, preprocessing."""
        ...

    def parameters(self) -> int:
        """Count the parameters of the whole captioner."""
        ...

    def logits(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Return the logits (N, L, V) that predict the captions' tokens, L being the longest caption's.

        `features` is (N, T, F), for one caption each.
        """
        ...

    def loss(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Return the mean cross-entropy in nats of the captions' tokens, the end of each included.

        `features` is (N, T, F), for one caption each. Padding does not count.
        """
        ...

    def generate(self, features: Tensor, config: GenerationConfig) -> list[Caption]:
        """Write a caption for each of N features (N, T, F), without randomness.

        The result does not depend on how the photos are batched, up to rounding.
        """
        ...


def tokenise(tokenizer: Any, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the tokens (N, L) of captions and their mask (N, L), 1 where a token counts.

    Each caption gets the end-of-sequence token, without which a model cannot learn to stop; it counts
    even where the padding token is the same one, since the mask, not the token, tells padding.
    """
    rows = [[*tokenizer(caption, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
            for caption in captions]  # fmt: skip
    length = max(map(len, rows))
    tokens = torch.full((len(rows), length), tokenizer.eos_token_id)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for position, row in enumerate(rows):
        tokens[position, : len(row)] = torch.tensor(row)
        mask[position, : len(row)] = 1
    return tokens, mask


def cross_entropy(logits: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats of tokens (N, L) under logits (N, L, V), weighted by (N, L).

    `logits[:, t]` must be those that predict `tokens[:, t]`; a token of weight 0 does not count.
    """
    each = functional.cross_entropy(logits.float().flatten(0, 1), tokens.flatten(), reduction="none")
    return (each.view_as(weights) * weights).sum() / weights.sum()


def read(tokenizer: Any, tokens: Tensor, ends: Sequence[int] = ()) -> list[Caption]:
    """Return the captions that generated tokens (N, L) stand for, each up to the first that ends one.

    These are `ends` or, where there are none, the tokenizer's end of sequence.
    White space becomes single spaces; control characters, which an untrained model writes, are dropped.
    """
    captions = []
    for row in tokens.tolist():
        length = next(
            (at for at, token in enumerate(row) if token in (ends or {tokenizer.eos_token_id})), None
        )
        ended, own = length is not None, row[:length]
        text = tokenizer.decode(own, skip_special_tokens=True)
        printable = "".join(mark for mark in " ".join(text.split()) if mark.isprintable())
        captions.append(Caption(text=printable, ended=ended))
    return captions


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Switch dropout off for a while, and then each module back to the mode that it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
