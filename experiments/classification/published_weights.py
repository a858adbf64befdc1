"""What open_clip knows of published weights: activation function, preprocessing, place and hash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.classification.towers import open_clip_library
from experiments.config.zero_shot import OpenClipTower
from pipeline.errors import UserError


def published(config: OpenClipTower) -> Mapping[str, Any]:
    """Return open_clip's entry for the weights that a section names by their tag.

    Raises:
        UserError: if open_clip has no such model or tag, or would compute another activation function
            than the one that the weights were trained with.
    """
    library = open_clip_library()
    wants_quick_gelu = _has_quick_gelu(config.model)
    entry = library.get_pretrained_cfg(config.model, config.pretrained)
    if not entry:
        tags = ", ".join(library.list_pretrained_tags_by_model(config.model)) or "none"
        raise UserError(
            f"{config.pretrained!r} is neither a file nor a tag of {config.model!r}; its tags: {tags}."
        )
    if wants_quick_gelu and not entry.get("quick_gelu"):
        raise UserError(
            f"QuickGELU mismatch: model {config.model!r} would compute another activation than the weights "
            f"{config.pretrained!r} were trained with; choose another tag."
        )
    return entry


def require_published(file: Path, sha256: str, config: OpenClipTower) -> None:
    """Check that a copy of published weights is the published file, where open_clip knows that file's hash.

    A file with another ending holds the tensors in another format, of which no hash is known.

    Raises:
        UserError: if it is not.
    """
    entry = published(config)
    expected = _sha256(entry)
    if expected and file.suffix == Path(entry["url"]).suffix and not sha256.startswith(expected):
        raise UserError(
            f"{file} is not the file that was published as {config.pretrained} of {config.model}: its "
            f"SHA-256 begins {sha256[:8]}, not {expected[:8]}; get it anew from {entry['url']}, or name a "
            "checkpoint of your own as zero_shot.tower.pretrained."
        )


def require_own_activation(file: Path, sha256: str, model: str) -> None:
    """Check that a file that is loaded as the user's own is none that was published with another activation.

    Raises:
        UserError: if it is, or if open_clip has no such model.
    """
    library = open_clip_library()
    wanted = _has_quick_gelu(model)
    for other, tag in library.list_pretrained():
        entry = library.get_pretrained_cfg(other, tag)
        expected = _sha256(entry)
        if expected and sha256.startswith(expected) and wanted != bool(entry.get("quick_gelu")):
            raise UserError(
                f"QuickGELU mismatch: {file} was published as {tag}, and model {model!r} would compute "
                f"another activation: write zero_shot.tower.pretrained = {tag!r} and name the file as "
                "zero_shot.tower.file."
            )


def _has_quick_gelu(model: str) -> bool:
    """Tell whether open_clip computes QuickGELU in a model where nothing else asks for it."""
    architecture = open_clip_library().get_model_config(model)
    if architecture is None:
        raise UserError(f"open_clip knows no model {model!r}; open_clip.list_models() names those it knows.")
    return bool(architecture.get("quick_gelu"))


def _sha256(entry: Mapping[str, Any]) -> str:
    """Return the hash of a published file, or its beginning, from its address as open_clip does; else ''."""
    url = entry.get("url", "")
    if "openaipublic" in url:
        return url.split("/")[-2]
    return Path(url).stem.rpartition("-")[2] if "mlfoundations" in url else ""
