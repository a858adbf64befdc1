"""Dual encoders whose weights open_clip fetches or reads, with its mere warnings made errors."""

import hashlib
from pathlib import Path
from typing import Any

from torch import nn

from experiments.classification.precision import best_device
from experiments.classification.towers import About, DualEncoder, open_clip_library
from experiments.errors import UserError
from experiments.hub import PATIENCE, no_answer
from experiments.sections.zero_shot import OpenClipTower

CLIP_TAGS = ("openai", "laion")
CLIP_REPOSITORIES = ("hf-hub:laion/CLIP-",)


def pretrained_tower(section: OpenClipTower) -> DualEncoder:
    """Build the model with its own weights, tokenizer and preprocessing.

    Raises:
        UserError: if the weights are unknown, missing, out of reach or of another architecture, or if
            the activation function is not the one that they were trained with.
    """
    library = open_clip_library()
    _require_weights(section, library)
    try:
        clip, transform = library.create_model_from_pretrained(
            section.model, _weights_argument(section), force_quick_gelu=_wants_quick_gelu(section, library)
        )
        tokenizer = library.get_tokenizer(section.model)
    except Exception as error:  # whatever a damaged or foreign file makes open_clip raise
        reason = str(error).strip().splitlines()[0:2]
        raise UserError(f"open_clip could not load {_named(section)}: {' '.join(reason)[:300]}") from error
    if not isinstance(clip, library.CLIP | library.CustomTextCLIP):
        raise UserError(f"{_named(section)} is a {type(clip).__name__}, not a plain pair of encoders.")
    clip.eval().requires_grad_(False).to(best_device())
    return DualEncoder(
        describe(section), transform, tokenizer, clip=clip, trunk=clip.visual, head=nn.Identity()
    )


def _weights_argument(section: OpenClipTower) -> str | None:
    local = section.local
    return str(local) if section.pretrained and local else section.pretrained


def _named(section: OpenClipTower) -> str:
    return f"model {section.model!r}" + (
        f" with weights {section.pretrained!r}" if section.pretrained else ""
    )


def _require_weights(section: OpenClipTower, library: Any) -> None:
    """Check, before open_clip tries for a minute, that the weights exist and can be reached."""
    local = section.local
    if local is not None:
        _require_local(section, local)
        return
    if section.model.startswith("hf-hub:"):
        _require_reachable(section, hub=section.model.removeprefix("hf-hub:"), url="")
        return
    if library.get_model_config(section.model) is None:
        raise UserError(
            f"open_clip knows no model {section.model!r}; open_clip.list_models() names those it knows."
        )
    source = library.get_pretrained_cfg(section.model, section.pretrained)
    if not source:
        tags = ", ".join(library.list_pretrained_tags_by_model(section.model)) or "none"
        raise UserError(
            f"{section.pretrained!r} is neither a file nor a tag of {section.model!r}; its tags: {tags}."
        )
    if library.get_model_config(section.model).get("quick_gelu") and not source.get("quick_gelu"):
        raise UserError(
            f"QuickGELU mismatch: {_named(section)} would compute another activation than the weights were "
            "trained with; choose another tag."
        )
    _require_reachable(section, hub=source.get("hf_hub", ""), url=source.get("url", ""))


def _require_local(section: OpenClipTower, local: Path) -> None:
    if section.model.startswith("local-dir:"):
        files = [file for ending in ("safetensors", "bin", "pth") for file in local.glob(f"*.{ending}")]
        if not (local / "open_clip_config.json").is_file() or not files:
            raise UserError(
                f"{local} must hold open_clip_config.json and a checkpoint (.safetensors, .bin or .pth)."
            )
    elif not local.is_file():
        raise UserError(f"There is no checkpoint at {local}, which pretrained names.")


def _wants_quick_gelu(section: OpenClipTower, library: Any) -> bool:
    """Return whether the weights' tag declares QuickGELU, which open_clip checks but does not apply.

    OpenAI's weights under the plain name ``ViT-B-32`` would otherwise be run with another activation.
    """
    source = library.get_pretrained_cfg(section.model, section.pretrained) if section.pretrained else {}
    return bool(source.get("quick_gelu"))


def _require_reachable(section: OpenClipTower, hub: str, url: str) -> None:
    """Check that the weights are in the hub's local cache or that their host answers."""
    from huggingface_hub import constants, try_to_load_from_cache

    repository = "/".join(hub.split("/")[:2])
    names = (
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.safetensors",
        "open_clip_pytorch_model.bin",
    )
    if repository and any(isinstance(try_to_load_from_cache(repository, name), str) for name in names):
        return
    address = f"{constants.ENDPOINT}/{repository}" if repository else url
    failure = no_answer(address, PATIENCE)
    if failure:
        remedy = (
            "its file elsewhere and give the path as zero_shot.tower.pretrained"
            if section.pretrained
            else "the repository elsewhere and name its folder as zero_shot.tower.model = 'local-dir:FOLDER'"
        )
        raise UserError(
            f"The weights of {_named(section)} are not on this machine and cannot be fetched: "
            f"{address} did not answer ({failure}); download {remedy}."
        )


def describe(section: OpenClipTower) -> About:
    """Say what is known of the weights; a local file says nothing of where it comes from."""
    local = section.local
    if local is not None:
        return About(
            model=f"Dual encoder {local.name if section.pretrained is None else section.model}",
            weights=f"local checkpoint {local.name}{_short_hash(local)}, origin not declared",
            is_clip=False,
            seen_labels="unknown: a local checkpoint",
        )
    is_clip = section.model.startswith(CLIP_REPOSITORIES) or (section.pretrained or "").startswith(CLIP_TAGS)
    name = section.model.removeprefix("hf-hub:").removesuffix("-quickgelu")
    weights = f"open_clip {section.model}" + (f", {section.pretrained}" if section.pretrained else "")
    return About(
        model=f"{'CLIP' if is_clip else 'Dual encoder'} {name}"
        + (f" ({section.pretrained})" if section.pretrained else ""),
        weights=weights,
        is_clip=is_clip,
        seen_labels="none: trained on images and texts found together on the web",
    )


def _short_hash(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return f" (sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]})"
