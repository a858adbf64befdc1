"""Small projects whose profiles a check reads: folders of pictures, captions, a captioner saved to disk."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.project import open_project
from pipeline.project import Project
from tests.support.captioners import random_captioner
from tests.support.copies import ROOT


def draw(path: Path, seed: int, size: tuple[int, int] = (24, 20)) -> Path:
    """Write a picture of noise that follows from the seed alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def draw_classes(folder: Path, count: int = 12, size: tuple[int, int] = (24, 20)) -> None:
    """Write `count` pictures each of two classes."""
    for label, name in enumerate(("cat", "dog")):
        for number in range(count):
            draw(folder / name / f"{number}.png", 1000 * label + number, size)


def draw_photos(folder: Path, count: int = 10) -> Path:
    """Write photos into ``photos`` under `folder` and return the file with their captions."""
    lines = ["image,caption"]
    for number in range(count):
        draw(folder / "photos" / f"{number}.png", 5000 + number)
        lines.append(f"{number}.png,thing number {number}")
    captions = folder / "captions.csv"
    captions.write_text("\n".join(lines))
    return captions


def save_captioner(folder: Path) -> Path:
    """Save a tiny ViT-GPT2 with random weights, its tokenizer and its preprocessing as transformers does."""
    captioner = random_captioner()
    captioner.network.config.decoder_start_token_id = captioner.start
    for part in (captioner.network, captioner.tokenizer, captioner.processor):
        part.save_pretrained(folder)
    return folder


IMAGES = '[images]\nkind = "folder"\nfolder = "animals"\nsize = 16\ntest_share = 0.25\nseed = 0\n'
PHOTOS = '[photos]\nkind = "folder"\nfolder = "photos"\ncaptions = "captions.csv"\n'
PHOTOS += "tuning = 4\nevaluation = 4\nseed = 0\n"
CAPTIONER = '[captioner]\nkind = "vision_encoder_decoder"\nmodel = "captioner"\nseed = 0\n'
CAPTIONER += 'precision = "fp32"\nheld_out = 2\n'


def project(folder: Path, *configs: str, **changed: Any) -> Project:
    """Open a project whose profile is ``smoke`` with other sections, and with other lines in it."""
    text = (ROOT / "profiles" / "smoke.toml").read_text()
    for config in configs:
        name = config[: config.index("]") + 1]
        text = re.sub(rf"(?ms)^{re.escape(name)}\n.*?(?=^\[|^# |\Z)", config + "\n", text)
        assert config in text
    for place, value in changed.items():
        name, key = place.split("__")
        found = re.search(rf"(?ms)^\[{name}\]\n.*?^{key} = ([^\n]*)", text)
        assert found, place
        text = text[: found.start(1)] + value + text[found.end(1) :]
    path = folder / "profiles" / "mine.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return open_project("mine", folder)
