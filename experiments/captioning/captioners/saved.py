"""From what stage `align` left behind to a captioner, whatever its kind."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from experiments.captioning.captioners import prefix
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.captioners.encoder_decoder import load_encoder_decoder
from experiments.captioning.captioners.untrained import random_encoder_decoder
from experiments.config.captioner import (
    AnyCaptionerConfig,
    EncoderDecoderConfig,
    PrefixCaptionerConfig,
    RandomCaptionerConfig,
)
from experiments.results.align import CAPTIONER
from pipeline.files import write_whole


def save(config: AnyCaptionerConfig, captioner: Captioner, folder: Path) -> None:
    """Keep in `folder` what `load` needs; a captioner that comes whole is not copied."""
    if isinstance(captioner, prefix.PrefixCaptioner):
        prefix.save(captioner, folder)
    # Not as JSON by itself, which leaves out where a model lies.
    write_whole(folder / CAPTIONER, json.dumps(config.model_dump(), indent=1, ensure_ascii=False).encode())


def load(folder: Path, root: Path) -> Captioner:
    """Return the captioner that `save` kept in `folder`, ready to write captions.

    A path in its config starts at `root`.

    Raises:
        UserError: if a captioner that comes from a hub cannot be had.
    """
    config = read_config(folder)
    if isinstance(config, PrefixCaptionerConfig):
        return prefix.load(config, folder)
    return whole(config, root)


def read_config(folder: Path) -> AnyCaptionerConfig:
    """Return the config of the captioner that `save` kept in `folder`."""
    return TypeAdapter(AnyCaptionerConfig).validate_json((folder / CAPTIONER).read_bytes())


def whole(config: EncoderDecoderConfig | RandomCaptionerConfig, root: Path) -> Captioner:
    """Return a captioner that needs no alignment; a path in `config` starts at `root`.

    Raises:
        UserError: if it comes from a hub and cannot be had.
    """
    if isinstance(config, EncoderDecoderConfig):
        return load_encoder_decoder(config, root)
    return random_encoder_decoder(config)
