"""What every captioner can do: the protocol behind which the kinds of captioners stand."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from experiments.config.tuning import GenerationConfig
from experiments.results.caption import Caption


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
    def weights(self) -> str:
        """Return where its parts come from, and under which licences."""
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
