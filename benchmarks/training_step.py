"""How much two choices save on this machine: bf16 over fp32, and plain over fused attention.

Run as ``python -m benchmarks.training_step``. Each line is a ratio of two times of one training step
(forward and backward, the profile's batch), taken in turns in one process: the shortest of several.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.pairs import duration
from experiments import profile
from experiments.classification import cnn, vit
from experiments.models.precision import autocast
from experiments.results.classification import Precision

ROUNDS = 5
CLASSES = 10


class FusedAttention(vit._Attention):
    """The same attention through PyTorch's `scaled_dot_product_attention`."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Return attended tokens (B, T, C)."""
        batch, count, width = tokens.shape
        parts = self.to_parts(tokens).view(batch, count, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        return self.to_output(attended.transpose(1, 2).reshape(batch, count, width))


def main() -> None:
    """Print the ratios for the networks of the default profile."""
    options = profile.load(profile.DEFAULT, Path.cwd())
    assert options.cnn and options.vit
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (options.cnn.batch_size, 32, 32, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels)
    convolutional = cnn.network(pixels, CLASSES, options.cnn.widths).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    plain = vit.VisionTransformer(pixels, CLASSES, options.vit)
    fused = vit.VisionTransformer(pixels, CLASSES, options.vit)
    for block in fused.blocks:
        block.attention[1] = FusedAttention(options.vit.width, options.vit.heads)  # pyright: ignore
    few = images[: options.vit.batch_size]
    compare("CNN: fp32 / bf16", step(convolutional, images, "fp32"), step(convolutional, images, "bf16"))
    compare("ViT: fp32 / bf16", step(plain, few, "fp32"), step(plain, few, "bf16"))
    compare("ViT in bf16: fused / plain attention", step(fused, few, "bf16"), step(plain, few, "bf16"))


def step(network: nn.Module, images: Tensor, precision: Precision) -> Callable[[], None]:
    """Return a function that does one forward and one backward pass."""

    def work() -> None:
        with autocast(precision, images.device):
            logits = network(images)
        functional.cross_entropy(logits.float(), torch.arange(len(images)) % CLASSES).backward()

    return work


def compare(name: str, alternative: Callable[[], None], chosen: Callable[[], None]) -> None:
    """Time two functions in turns and print how many times longer the alternative takes."""
    alternative()
    chosen()
    times = [(duration(alternative), duration(chosen)) for _ in range(ROUNDS)]
    slow, fast = (min(column) for column in zip(*times, strict=True))
    print(f"{name}: {slow / fast:.2f} ({slow:.2f} s against {fast:.2f} s a step)")


if __name__ == "__main__":
    main()
