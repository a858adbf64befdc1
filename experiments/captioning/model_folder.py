"""The files of a captioner in the layout of the hub: which there must be, and what they say of it."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from experiments.errors import UserError

BESIDE_WEIGHTS = ("*.json", "*.txt", "*.model", "README.md")
"""Patterns of all files but the weights."""

_DECLARED = re.compile(r"---\n(?:(?!---).*\n)*?license:[ \t]*['\"]?([\w.-]+)")
_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
_CONFIGURATIONS = ("config.json", "generation_config.json")  # the older first: training reads it
_PARTS = {
    "its configuration (config.json)": ("config.json",),
    "weights (model.safetensors or pytorch_model.bin)": _WEIGHTS,
    "the preprocessing of photos (preprocessor_config.json)": (
        "preprocessor_config.json",
        "processor_config.json",
    ),
    "a tokenizer (tokenizer.json or vocab.json)": ("tokenizer.json", "vocab.json", "vocab.txt", "*.model"),
}


def lacks(folder: Path) -> str | None:
    """Say what part of a captioner `folder` lacks, None if there is one file of each part."""
    for part, patterns in _PARTS.items():
        if not any(any(folder.glob(pattern)) for pattern in patterns):
            return part
    return None


def require_encoder_decoder(name: str, folder: Path) -> None:
    """Check that `folder`, of the model `name`, holds a VisionEncoderDecoder with all its parts.

    Raises:
        UserError: if it does not.
    """
    config = folder / "config.json"
    kind = _read(config).get("model_type")
    if config.is_file() and kind != "vision-encoder-decoder":
        raise UserError(
            f"{name} is no VisionEncoderDecoder of transformers (its config.json says model_type {kind!r}); "
            "name another model or folder as captioner.model."
        )
    if missing := lacks(folder):
        raise UserError(f"{name} lacks {missing}; get its files anew.")


def sha256(folder: Path) -> str:
    """Return the hash of the weights that transformers reads, of several files as if they were one."""
    files = next(found for found in (sorted(folder.glob(pattern)) for pattern in _WEIGHTS) if found)
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    return digest.hexdigest()


def licence(folder: Path) -> str:
    """Return the licence that the model card declares at its head, as words."""
    card = folder / "README.md"
    declared = _DECLARED.match(card.read_text(encoding="utf-8")) if card.is_file() else None
    return f"licence {declared[1]}" if declared else "licence not declared"


def start_token(folder: Path) -> int | None:
    """Return the token with which the decoder was trained to begin, None if no file says it."""
    said = (_read(folder / name).get("decoder_start_token_id") for name in _CONFIGURATIONS)
    return next((token for token in said if isinstance(token, int)), None)


def _read(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds, empty if it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
