"""The files of a captioner in the layout of the hub: where they are, which there must be, what they say."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from experiments.config.captioner import EncoderDecoderConfig
from experiments.models import hub

BESIDE_WEIGHTS = ("*.json", "*.txt", "*.model", "README.md")
"""Patterns of all files but the weights."""

ADAPTER = "adapter_config.json"
"""Where it lies in a model's folder, transformers puts an adapter on the model without a word."""

_DECLARED = re.compile(r"---\n(?:(?!---).*\n)*?license:[ \t]*['\"]?([\w.-]+)")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # in the order in which transformers looks for them
_CONFIGURATIONS = ("config.json", "generation_config.json")  # the older first: training reads it
_PARTS = {
    "its configuration (config.json)": ("config.json",),
    "the preprocessing of photos (preprocessor_config.json)": (
        "preprocessor_config.json",
        "processor_config.json",
    ),
    "a tokenizer (tokenizer.json or vocab.json)": ("tokenizer.json", "vocab.json", "vocab.txt", "*.model"),
}


def missing(config: EncoderDecoderConfig, root: Path, ask: Callable[[], str | None]) -> str | None:
    """Return a sentence if a captioner is neither on this machine nor to be had, None if it is.

    A folder is a path from `root`. `ask` is `hub.unreachable`, or recalls what it said. Nothing is fetched or
    written.

    Raises:
        UserError: if `config` names no revision of a hub's model.
    """
    if config.local is None:
        return hub.missing(repository(config), ask)
    folder = root / config.local
    if not folder.is_dir():
        return (
            f"There is no folder {folder}, which captioner.model names: place the captioner's files there, "
            "or, if it is a hub's model, give captioner.revision, the commit at which it is pinned."
        )
    return unfit(folder.resolve().name, folder)


def repository(config: EncoderDecoderConfig) -> hub.Repository:
    """Return the repository of a hub that a config names.

    Raises:
        UserError: if `config` names no revision.
    """
    return hub.Repository(
        name=config.model,
        revision=hub.reference(config.revision or "", "captioner.revision"),
        lacks=lacks,
        remedy="set HF_HOME to a cache copied from elsewhere, or name a local folder with its files as "
        "captioner.model",
    )


def lacks(folder: Path) -> str | None:
    """Say what part of a captioner `folder` lacks, None if it has all files of each part.

    A link that leads nowhere, as a cache that was copied without its blobs has, is no file.
    """
    for part, patterns in _PARTS.items():
        if not any(file.is_file() for pattern in patterns for file in folder.glob(pattern)):
            return part
    return None if weights_of(folder) else "weights (model.safetensors or pytorch_model.bin)"


def unfit(name: str, folder: Path) -> str | None:
    """Return a sentence if `folder`, of the model `name`, holds no whole VisionEncoderDecoder."""
    config = folder / "config.json"
    generation = folder / "generation_config.json"
    if generation.is_file() and not isinstance(_held(generation), dict):
        return f"{generation.name} of {name} is damaged: get it anew, or delete it if the model came without."
    kind = _read(config).get("model_type")
    if config.is_file() and kind != "vision-encoder-decoder":
        return (
            f"{name} is no VisionEncoderDecoder of transformers (its config.json says model_type {kind!r}); "
            "name another model or folder as captioner.model."
        )
    if (folder / ADAPTER).is_file():
        return (
            f"{name} holds an adapter ({ADAPTER}) beside its weights, with which it would be tuned already: "
            f"move {ADAPTER} elsewhere to start from the plain model, or merge the adapter into the weights."
        )
    lacking = lacks(folder)
    return lacking and f"{name} lacks {lacking}; get its files anew."


def sha256(folder: Path) -> str:
    """Return the hash of the weights that transformers reads, of several files as if they were one."""
    digest = hashlib.sha256()
    for path in weights_of(folder):
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    return digest.hexdigest()


def licence(folder: Path) -> str | None:
    """Return the licence that the model card declares at its head, None if it declares none."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    declared = _DECLARED.match(text)
    return declared[1] if declared else None


def special_tokens(folder: Path) -> dict[str, list[int]]:
    """Return the tokens "decoder_start", "bos", "eos" and "pad" that transformers' `generate` takes.

    They stand in generation_config.json where there is such a file, else in config.json, and what is not at
    the top of it, among the options of its decoder. There can be several or none.
    """
    own = folder / _CONFIGURATIONS[1]
    parts = [_read(own)] if own.is_file() else _parts(_read(folder / _CONFIGURATIONS[0]))

    def told(key: str) -> list[int]:
        return next((found for part in parts if (found := _tokens(part.get(f"{key}_token_id")))), [])

    return {key: told(key) for key in ("decoder_start", "bos", "eos", "pad")}


def decoder_starts(folder: Path) -> list[Any]:
    """Return whatever a file says the decoder was trained to begin with: a token each, if all is well."""
    parts = [part for name in _CONFIGURATIONS for part in _parts(_read(folder / name))]
    told = (part.get("decoder_start_token_id") for part in parts)
    return [token for token in told if token is not None]


def _parts(options: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the options of a model, and after them those of its decoder."""
    decoder = options.get("decoder")
    return [options, decoder] if isinstance(decoder, dict) else [options]


def _tokens(told: object) -> list[int]:
    return [token for token in _listed(told) if isinstance(token, int) and not isinstance(token, bool)]


def _listed(told: object) -> list[Any]:
    return told if isinstance(told, list) else [told]


def weights_of(folder: Path) -> list[Path]:
    """Return the file with the weights, or those that an index shares them out among; none if one lacks."""
    for name in _WEIGHTS:
        shared_out = _shared_out(folder / f"{name}.index.json")
        for files in ([folder / name], [folder / file for file in shared_out]):
            if files and all(file.is_file() for file in files):
                return files
    return []


def _shared_out(index: Path) -> list[str]:
    """Return the names of the files that an index names, none if it is not as transformers writes it."""
    told = _read(index).get("weight_map")
    names = [*told.values()] if isinstance(told, dict) else []
    are_beside = all(isinstance(name, str) and Path(name).name == name for name in names)
    return sorted(set(names)) if are_beside else []


def _read(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, empty if it cannot be read."""
    found = _held(path)
    return found if isinstance(found, dict) else {}


def _held(path: Path) -> object:
    """Return what a JSON file holds, None if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
