"""What in a model's files cannot be read, or says of its sizes what cannot be: asked before any use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from experiments.captioning.captioners import model_folder
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.zero_shot import LOCAL_FOLDER, OpenClipTower
from experiments.models import hub

MOST_LAYERS = 1_000
"""The layers of the deepest published transformer (DeepNet, arXiv:2203.00555); most have fewer than 100."""
MOST_LABELS = 1_000_000
"""Classes that an encoder may have told apart, a line of names each: those of ImageNet-21k are 21,843."""
LARGEST_SIDE = 4_096
"""Pixels of a side that an encoder sees: published ones see 2,560 at most (Donut, arXiv:2111.15664)."""

_COUNTS = {re.compile("layers?$|depths?$"): MOST_LAYERS, re.compile("^num_labels$"): MOST_LABELS}
"""How fields are called that say how many parts are built one by one, and the most that there can be."""
_SIDES = re.compile("size$|^height$|^width$|^shortest_edge$")
_SIDE = re.compile("^image_size$")
"""Of open_clip, whose vocabularies have sizes as well."""
_OPEN_CLIP = "open_clip_config.json"
_TOKENS = ("tokenizer.json", "vocab.json")
"""Large files, which the tokenizers' library reads."""
_PREPROCESSING = ("preprocessor_config.json", "processor_config.json")


def _unreadable(folder: Path, model: str) -> str | None:
    """Return a sentence if a file of a model on this machine cannot be read as what it is, else None."""
    for file in sorted(folder.glob("*.json")):
        if file.name in _TOKENS:
            continue
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            return f"{file.name} of {model} is not text in UTF-8: save it as UTF-8, or get it anew."
        except RecursionError:
            return f"{file.name} of {model} is nested too deep to be read: get it anew."
        except (OSError, ValueError):
            continue  # which those say who need it
    return None


def folder_of(config: EncoderDecoderConfig, root: Path) -> Path | None:
    """Return the folder with all the captioner's files, None if it is not on this machine."""
    if config.local is None:
        return hub.usable(model_folder.repository(config))
    folder = root / config.local
    return folder if folder.is_dir() and model_folder.lacks(folder) is None else None


def impossible(config: EncoderDecoderConfig, root: Path) -> str | None:
    """Return a sentence if a captioner on this machine says of itself what would never be built, else None.

    So it is if a file of it cannot be read.

    Transformers builds whatever it is told, layer by layer and pixel by pixel, for years if need be.
    """
    place = root / config.local if config.local else hub.usable(model_folder.repository(config))
    if place and (sentence := _unreadable(place, config.model)):
        return sentence
    folder = folder_of(config, root)
    if folder is None:
        return None
    if sentence := _too_many(folder / "config.json", config.model):
        return sentence
    remedy = "set there the size that config.json names as image_size"
    too_large = (_too_large(folder / name, config.model, _SIDES, remedy) for name in _PREPROCESSING)
    return next(filter(None, too_large), None)


def impossible_tower(config: OpenClipTower, root: Path) -> str | None:
    """Return such a sentence of a folder with a model of open_clip's, None of any other."""
    if not config.model.startswith(LOCAL_FOLDER) or config.local is None:
        return None
    file = root / config.local / _OPEN_CLIP
    if sentence := _unreadable(file.parent, config.model):
        return sentence
    return _too_many(file, config.model) or _too_large(file, config.model, _SIDE, "mend it")


def _too_many(file: Path, model: str) -> str | None:
    for key, value in _numbers(_read(file)):
        for pattern, most in _COUNTS.items():
            if pattern.search(key) and value > most:
                return (
                    f"{file.name} of {model} says that {key} is {value:,}, but no model has more than "
                    f"{most:,}: get its files anew."
                )
    return None


def _too_large(file: Path, model: str, sides: re.Pattern[str], remedy: str) -> str | None:
    for key, value in _numbers(_read(file)):
        if sides.search(key) and value > LARGEST_SIDE:
            return (
                f"{file.name} of {model} says that {key} is {value:,} pixels, but no model sees more than "
                f"{LARGEST_SIDE:,}: {remedy}."
            )
    return None


def _numbers(content: object, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield each number in what JSON holds, those in lists as well, with the name of its field."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _numbers(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _numbers(value, key)
    elif isinstance(content, int | float):
        yield key, content


def _read(file: Path) -> object:
    """Return what a JSON file holds, nothing if it cannot be read, which those say who need it."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
