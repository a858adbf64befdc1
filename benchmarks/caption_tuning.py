"""How much three choices save when the captioner is tuned on this machine.

Run as ``python -m benchmarks.caption_tuning``. Each line is a ratio of two times of one step of the
default profile's LoRA recipe (forward and backward, one batch), taken in turns in one process: the
shortest of several. The first run fetches the language model.
"""

import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.training_step import compare
from experiments.captioning import adapter
from experiments.captioning.captioners import prefix
from experiments.captioning.captioners.prefix import PrefixCaptioner
from experiments.config.captioner import PrefixCaptionerConfig
from experiments.datasets.downloads import fetch
from experiments.project import open_project

CAPTION = "a small brown horse standing on dry grass in front of a fence"


def main() -> None:
    """Print the ratios for the prefix captioner of the default profile."""
    project = open_project()
    config, lora = project.profile.captioner, project.profile.lora
    if lora is None or not isinstance(config, PrefixCaptionerConfig):
        raise SystemExit("This benchmark is of the prefix captioner; use the offline profile.")
    plain = _adapted(config, lora, project.downloads)
    random = np.random.default_rng(0)
    photos = list(random.integers(0, 256, (lora.batch_size, 32, 32, 3), dtype=np.uint8))
    captions, features = [CAPTION] * len(photos), plain.encode(photos).clone()
    single = dataclasses.replace(plain, config=config.model_copy(update={"precision": "fp32"}))

    def step(captioner: PrefixCaptioner, cached: bool = True) -> None:
        own = features if cached else captioner.encode(photos).clone()
        captioner.loss(own, captions).backward()

    compare("features anew in each epoch / cached", lambda: step(plain, cached=False), lambda: step(plain))
    compare("fp32 / bf16", lambda: step(single), lambda: step(plain))

    def fused() -> None:
        plain.network.base_model.model.set_attn_implementation("sdpa")
        step(plain)
        plain.network.base_model.model.set_attn_implementation("eager")

    compare("fused / plain attention", fused, lambda: step(plain))


def _adapted(config: PrefixCaptionerConfig, lora: object, downloads: Path) -> PrefixCaptioner:
    captioner = prefix.build(config, lambda archive: fetch(archive, downloads, print))
    captioner.mapper.requires_grad_(False)
    captioner.network.requires_grad_(False)
    options = {name: getattr(lora, name) for name in ("r", "alpha", "dropout", "targets", "seed")}
    adapted = adapter.with_adapter(captioner, **options)
    assert isinstance(adapted, PrefixCaptioner)
    return adapted


if __name__ == "__main__":
    main()
