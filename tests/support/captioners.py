"""Small captioners with random weights, and photos for them to caption."""

from pathlib import Path
from typing import Any

import numpy as np

from experiments.captioning.captioners.encoder_decoder import EncoderDecoderCaptioner, load_encoder_decoder
from experiments.captioning.captioners.untrained import random_encoder_decoder
from experiments.config.captioner import EncoderDecoderConfig, RandomCaptionerConfig
from experiments.config.tuning import GenerationConfig

CAPTIONS = ("a cat", "two dogs run", "a red car.", "ship")
GREEDY = GenerationConfig(max_new_tokens=16, beams=1)
BEAMS = GenerationConfig(max_new_tokens=16, beams=3)


def random_captioner(seed: int = 0, precision: Any = "fp32") -> EncoderDecoderCaptioner:
    """Build a ViT and GPT-2 that spell captions byte by byte, a function of the seed alone."""
    config = RandomCaptionerConfig(kind="random", seed=seed, precision=precision, held_out=1)
    return random_encoder_decoder(config)


def captioner_config(model: Path | str, revision: str | None = None) -> EncoderDecoderConfig:
    """Name a captioner in a folder or, with a revision, on the hub."""
    place = {"model": str(model), "revision": revision}
    return EncoderDecoderConfig(kind="vision_encoder_decoder", seed=0, precision="fp32", held_out=1, **place)


def load_captioner(
    model: Path | str, revision: str | None = None, root: Path = Path("/nowhere")
) -> EncoderDecoderCaptioner:
    """Load a captioner from a folder under `root` or, with a revision, from the hub."""
    return load_encoder_decoder(captioner_config(model, revision), root)


def odd_photos(n: int = 4) -> list[np.ndarray]:
    """Return photos of differing sizes: one three pixels high, one three wide."""
    random = np.random.default_rng(0)
    sizes = [(32, 32), (3, 50), (64, 3), (100, 40)]
    return [random.integers(0, 256, (*sizes[i % 4], 3), dtype=np.uint8) for i in range(n)]
