"""Dual encoders whose weights open_clip builds and loads, with its mere warnings made errors."""

from pathlib import Path
from typing import Any

from torch import nn

from experiments.classification.open_clip_weights import Weights, find
from experiments.classification.precision import best_device
from experiments.classification.state_file import is_torchscript, reading_torchscript, shapes
from experiments.classification.towers import About, DualEncoder, open_clip_library
from experiments.errors import UserError, reason
from experiments.sections.zero_shot import HUB, LOCAL_FOLDER, OpenClipTower

CLIP_TAGS = ("openai", "laion")
CLIP_REPOSITORIES = ("hf-hub:laion/CLIP-",)


def pretrained_tower(section: OpenClipTower, root: Path = Path()) -> DualEncoder:
    """Build the model with its own weights, tokenizer and preprocessing. Paths in `section` start at `root`.

    Raises:
        UserError: if the weights are unknown, missing, out of reach or of another architecture, if they
            do not fill the model or more than fill it, or if the activation function is not the one that
            they were trained with, where that can be known.
    """
    weights = find(section, root)
    held = shapes(weights.file)
    try:
        clip, transform = _load(weights)
        tokenizer = open_clip_library().get_tokenizer(weights.model)
    except Exception as error:  # whatever a foreign checkpoint makes open_clip raise
        raise UserError(
            f"open_clip could not load {_named(section)} from {weights.file}: {reason(error)}."
        ) from error
    _require_fit(section, weights, clip, held)
    clip.eval().requires_grad_(False).to(best_device())
    return DualEncoder(
        describe(section, weights.origin),
        transform,
        tokenizer,
        clip=clip,
        trunk=clip.visual,
        head=nn.Identity(),
    )


def _load(weights: Weights) -> tuple[Any, Any]:
    """Return the model, all its tensors filled from the file and none left over, and its preprocessing."""
    tag = weights.published
    with reading_torchscript():
        return open_clip_library().create_model_from_pretrained(
            weights.model,
            None if weights.model.startswith(LOCAL_FOLDER) else str(weights.file),
            force_quick_gelu=bool(tag.get("quick_gelu")),  # which open_clip checks, but does not apply
            image_mean=tag.get("mean"),
            image_std=tag.get("std"),
            image_interpolation=tag.get("interpolation"),
            image_resize_mode=tag.get("resize_mode"),
            weights_only=not is_torchscript(weights.file),
        )


def _require_fit(
    section: OpenClipTower, weights: Weights, clip: Any, held: dict[str, tuple[int, ...]]
) -> None:
    """Check what open_clip lets pass: other kinds of models, and tables of positions that it stretches."""
    library = open_clip_library()
    if not isinstance(clip, library.CLIP | library.CustomTextCLIP):
        raise UserError(f"{_named(section)} is a {type(clip).__name__}, not a plain pair of encoders.")
    own = {name: tuple(tensor.shape) for name, tensor in clip.state_dict().items()}
    for name, shape in held.items():
        expected = own.get(name, own.get(f"text.{name}", shape))
        if name.endswith("positional_embedding") and shape != expected:
            raise UserError(
                f"{weights.file} is a checkpoint of another model than {_named(section)}: its {name} is of "
                f"shape {shape}, where {expected} is wanted."
            )


def _named(section: OpenClipTower) -> str:
    return f"model {section.model!r}" + (
        f" with weights {section.pretrained!r}" if section.pretrained else ""
    )


def describe(section: OpenClipTower, origin: str) -> About:
    """Say what is known of the weights; a file of one's own says nothing of where it comes from."""
    if section.own is not None:
        name = section.model if section.pretrained else Path(section.own).expanduser().resolve().name
        return About(
            model=f"Dual encoder {name}",
            weights=origin,
            is_clip=False,
            seen_labels="unknown: a local checkpoint",
        )
    is_clip = section.model.startswith(CLIP_REPOSITORIES) or (section.pretrained or "").startswith(CLIP_TAGS)
    name = section.model.removeprefix(HUB).removesuffix("-quickgelu")
    return About(
        model=f"{'CLIP' if is_clip else 'Dual encoder'} {name}"
        + (f" ({section.pretrained})" if section.pretrained else ""),
        weights=origin,
        is_clip=is_clip,
        seen_labels="none: trained on images and texts found together on the web",
    )
