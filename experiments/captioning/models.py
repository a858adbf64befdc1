"""From what stage `align` left behind to a captioner, whatever its kind."""

from pathlib import Path
from typing import assert_never

from pydantic import TypeAdapter

from experiments.atomic import write_whole
from experiments.captioning import encoder_decoder, prefix
from experiments.captioning.captioner import Captioner
from experiments.sections.captioner import (
    AnyCaptionerSection,
    EncoderDecoderSection,
    PrefixCaptionerSection,
    RandomCaptionerSection,
)

_FILE = "captioner.json"


def save(section: AnyCaptionerSection, captioner: Captioner, folder: Path) -> None:
    """Keep in `folder` what `load` needs; a captioner that comes whole is not copied."""
    if isinstance(captioner, prefix.PrefixCaptioner):
        prefix.save(captioner, folder)
    write_whole(folder / _FILE, section.model_dump_json(indent=1).encode())


def load(folder: Path) -> Captioner:
    """Return the captioner that `save` kept in `folder`, ready to write captions.

    Raises:
        UserError: if a captioner that comes from a hub cannot be had.
    """
    section = read_section(folder)
    if isinstance(section, PrefixCaptionerSection):
        return prefix.load(section, folder)
    return whole(section)


def read_section(folder: Path) -> AnyCaptionerSection:
    """Return the section of the captioner that `save` kept in `folder`."""
    return TypeAdapter(AnyCaptionerSection).validate_json((folder / _FILE).read_bytes())


def whole(section: EncoderDecoderSection | RandomCaptionerSection) -> Captioner:
    """Return a captioner that needs no alignment.

    Raises:
        UserError: if it comes from a hub and cannot be had.
    """
    match section:
        case EncoderDecoderSection():
            return encoder_decoder.load_encoder_decoder(section)
        case RandomCaptionerSection():
            return encoder_decoder.random_encoder_decoder(section)
        case _:
            assert_never(section)
