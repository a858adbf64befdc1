"""From what stage `align` left behind to a captioner, whatever its kind."""

from pathlib import Path
from typing import assert_never

from pydantic import TypeAdapter

from experiments.captioning.captioners import encoder_decoder, prefix
from experiments.captioning.captioners.captioner import Captioner
from experiments.config.captioner import (
    AnyCaptionerConfig,
    EncoderDecoderConfig,
    PrefixCaptionerConfig,
    RandomCaptionerConfig,
)
from pipeline.files import write_whole

_FILE = "captioner.json"


def save(config: AnyCaptionerConfig, captioner: Captioner, folder: Path) -> None:
    """Keep in `folder` what `load` needs; a captioner that comes whole is not copied."""
    if isinstance(captioner, prefix.PrefixCaptioner):
        prefix.save(captioner, folder)
    write_whole(folder / _FILE, config.model_dump_json(indent=1).encode())


def load(folder: Path) -> Captioner:
    """Return the captioner that `save` kept in `folder`, ready to write captions.

    Raises:
        UserError: if a captioner that comes from a hub cannot be had.
    """
    config = read_config(folder)
    if isinstance(config, PrefixCaptionerConfig):
        return prefix.load(config, folder)
    return whole(config)


def read_config(folder: Path) -> AnyCaptionerConfig:
    """Return the section of the captioner that `save` kept in `folder`."""
    return TypeAdapter(AnyCaptionerConfig).validate_json((folder / _FILE).read_bytes())


def whole(config: EncoderDecoderConfig | RandomCaptionerConfig) -> Captioner:
    """Return a captioner that needs no alignment.

    Raises:
        UserError: if it comes from a hub and cannot be had.
    """
    match config:
        case EncoderDecoderConfig():
            return encoder_decoder.load_encoder_decoder(config)
        case RandomCaptionerConfig():
            return encoder_decoder.random_encoder_decoder(config)
        case _:
            assert_never(config)
