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
from pipeline.errors import UserError
from pipeline.files import write_whole

PLACE = "captioner_place"
"""The file with the path of a captioner that lies on this machine, which is no part of what it is."""


def save(config: AnyCaptionerConfig, captioner: Captioner, folder: Path, root: Path) -> None:
    """Keep in `folder` what `load` needs; a captioner that comes whole is not copied.

    Of that, which weights they are is kept, and where they lie: a folder's path from `root`, a hub's commit.
    """
    kept = config.model_dump(mode="json")
    if isinstance(captioner, prefix.PrefixCaptioner):
        prefix.save(captioner, folder)
    elif isinstance(config, EncoderDecoderConfig):
        (source,) = captioner.weights
        kept |= {"revision": source.revision, "sha256": source.sha256}
        if config.local is not None:
            del kept["model"]
            point(folder, root / config.local)
    write_whole(folder / CAPTIONER, json.dumps(kept, indent=1, ensure_ascii=False).encode())


def point(folder: Path, place: Path) -> None:
    """Say to `load` where the captioner that `save` kept in `folder` lies today."""
    write_whole(folder / PLACE, str(place.absolute()).encode("utf-8", "surrogateescape"))


def load(folder: Path) -> Captioner:
    """Return the captioner that `save` kept in `folder`, ready to write captions.

    Raises:
        UserError: if one that comes whole cannot be had, or is another by now.
    """
    config, sha256 = _kept(folder)
    if isinstance(config, PrefixCaptionerConfig):
        return prefix.load(config, folder)
    captioner = whole(config, folder)
    if sha256 is not None and [source.sha256 for source in captioner.weights] != [sha256]:
        raise UserError(
            f"The weights of the captioner {captioner.model} are others than when stage align read them: "
            "compute that anew (`run --force align`)."
        )
    return captioner


def read_config(folder: Path) -> AnyCaptionerConfig:
    """Return the config of the captioner that `save` kept in `folder`."""
    return _kept(folder)[0]


def _kept(folder: Path) -> tuple[AnyCaptionerConfig, str | None]:
    """Return the config of the captioner, and the hash of the weights of one that comes whole."""
    kept = json.loads((folder / CAPTIONER).read_bytes())
    sha256 = kept.pop("sha256", None)
    if kept["kind"] == "vision_encoder_decoder" and "model" not in kept:
        kept["model"] = (folder / PLACE).read_bytes().decode("utf-8", "surrogateescape")
    return TypeAdapter(AnyCaptionerConfig).validate_json(json.dumps(kept)), sha256


def whole(config: EncoderDecoderConfig | RandomCaptionerConfig, root: Path) -> Captioner:
    """Return a captioner that needs no alignment; a path in `config` starts at `root`.

    Raises:
        UserError: if it comes from a hub and cannot be had.
    """
    if isinstance(config, EncoderDecoderConfig):
        return load_encoder_decoder(config, root)
    return random_encoder_decoder(config)
