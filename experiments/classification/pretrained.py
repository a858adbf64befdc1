"""Dual encoders whose weights open_clip builds and loads, with its mere warnings made errors."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.classification.open_clip_weights import CONFIGURATION, Weights, find, is_torchscript
from experiments.classification.towers import About, DualEncoder, preprocess
from experiments.config.fields import resolve_path
from experiments.config.zero_shot import HUB, LOCAL_FOLDER, OpenClipTower
from experiments.models.libraries import open_clip_library
from experiments.models.precision import best_device
from experiments.models.sanity import not_finite, two_pictures
from experiments.models.weights_file import read_tensors
from experiments.results.source import Source
from pipeline.errors import UserError, reason

CLIP_TAGS = ("openai", "laion")
CLIP_REPOSITORIES = ("hf-hub:laion/CLIP-",)

_BESIDE = frozenset(("input_resolution", "context_length", "vocab_size"))
"""What OpenAI's archives hold besides the network's tensors."""


def pretrained_tower(config: OpenClipTower, root: Path = Path()) -> DualEncoder:
    """Build the model with its own weights, tokenizer and preprocessing. Paths in `config` start at `root`.

    Raises:
        UserError: if the weights are unknown, missing, out of reach or of another architecture, if they
            do not fill the model or more than fill it, if they are no numbers, if pictures or texts cannot
            be encoded or mean nothing to it, or if the activation function is not the one that they were
            trained with, where that can be known.
    """
    weights = find(config, root)
    held = _tensors(weights.file)
    try:
        clip, transform = _load(weights, held)
        tokenizer = open_clip_library().get_tokenizer(weights.model)
    except UserError:
        raise
    except Exception as error:  # whatever a foreign checkpoint makes open_clip raise
        raise UserError(
            f"open_clip could not load {_named(config)} from {weights.file}: {reason(error)}."
        ) from error
    _require_fit(config, weights, clip, held)
    clip.eval().requires_grad_(False).to(best_device())
    tower = DualEncoder(
        describe(config, weights.origin, root),
        transform,
        tokenizer,
        clip=clip,
        trunk=clip.visual,
        head=nn.Identity(),
        module=__name__,
    )
    _require_sense(config, weights, tower)
    return tower


def _load(weights: Weights, held: dict[str, torch.Tensor]) -> tuple[Any, Any]:
    """Return the model, all its tensors filled with those `held`, none left over, and its preprocessing."""
    tag = weights.published
    with _instead_of_reading(held):
        return open_clip_library().create_model_from_pretrained(
            weights.model,
            None if weights.model.startswith(LOCAL_FOLDER) else str(weights.file),
            force_quick_gelu=bool(tag.get("quick_gelu")),  # which open_clip checks, but does not apply
            image_mean=tag.get("mean"),
            image_std=tag.get("std"),
            image_interpolation=tag.get("interpolation"),
            image_resize_mode=tag.get("resize_mode"),
        )


def _require_fit(config: OpenClipTower, weights: Weights, clip: Any, held: dict[str, torch.Tensor]) -> None:
    """Check what open_clip lets pass: other kinds of models, and tables of positions that it stretches."""
    library = open_clip_library()
    if not isinstance(clip, library.CLIP | library.CustomTextCLIP):
        raise UserError(f"{_named(config)} is a {type(clip).__name__}, not a plain pair of encoders.")
    own = {name: tuple(tensor.shape) for name, tensor in clip.state_dict().items()}
    for name, tensor in held.items():
        shape = tuple(tensor.shape)
        expected = own.get(name, own.get(f"text.{name}", shape))
        if name.endswith("positional_embedding") and shape != expected:
            raise UserError(
                f"{weights.file} is a checkpoint of another model than {_named(config)}: its {name} is of "
                f"shape {shape}, where {expected} is wanted."
            )


def _require_sense(config: OpenClipTower, weights: Weights, tower: DualEncoder) -> None:
    """Check before any work that the parts belong together, and that what differs is encoded differently."""
    if flaw := not_finite(tower.clip):
        raise UserError(f"{weights.file} is damaged: {flaw}; get it anew.")
    most, known = _highest_token(tower.tokenizer), _tokens_known(tower.clip)
    if most >= known:
        raise UserError(
            f"The tokenizer of {_named(config)} is another model's: it has {most + 1:,} tokens, but the text "
            f"tower knows {known:,}; get the model's files anew."
        )
    try:
        pictures = tower.encode_image(preprocess(tower, two_pictures()), "fp32")
    except Exception as error:  # whatever a picture of another size than the encoder's makes it raise
        raise UserError(
            f"Pictures as {_named(config)} has them prepared do not fit its image tower ({reason(error)}): "
            f"mend image_size or preprocess_cfg in its {CONFIGURATION}, or name another model."
        ) from error
    if not pictures.isfinite().all():
        raise UserError(
            f"What {_named(config)} makes of a picture is no numbers: mend mean and std in "
            f"its {CONFIGURATION}."
        )
    try:
        texts = tower.encode_text(tower.tokenizer(["a cat", "two dogs run"]))
    except Exception as error:  # whatever tokens that a text tower does not know make it raise
        raise UserError(
            f"Texts as the tokenizer of {_named(config)} has them do not fit its text tower "
            f"({reason(error)}): mend context_length and vocab_size in its {CONFIGURATION}, or name another "
            "model."
        ) from error
    for what, (one, other) in (("pictures", pictures), ("texts", texts)):
        if torch.equal(one, other):
            raise UserError(
                f"To {_named(config)} all {what} are the same: {weights.file} holds no trained weights of it."
            )


def _highest_token(tokenizer: Any) -> int:
    """Return the highest token that a tokenizer of open_clip writes."""
    vocabulary = getattr(getattr(tokenizer, "tokenizer", None), "get_vocab", lambda: {})()
    return max(vocabulary.values(), default=getattr(tokenizer, "vocab_size", 0) - 1)


def _tokens_known(clip: Any) -> int:
    """Return the number of tokens that a text tower has embeddings for."""
    text = getattr(clip, "text", clip)
    embeddings = getattr(text, "token_embedding", None) or text.transformer.get_input_embeddings()
    return embeddings.num_embeddings


def _named(config: OpenClipTower) -> str:
    return f"model {config.model!r}" + (f" with weights {config.pretrained!r}" if config.pretrained else "")


def describe(config: OpenClipTower, origin: Source, root: Path = Path()) -> About:
    """Say what is known of the weights; a file of one's own says nothing of where it comes from."""
    if config.own is not None:
        name = config.model if config.pretrained else resolve_path(root, config.own).resolve().name
        return About(
            model=f"Dual encoder {name}",
            weights=(origin,),
            is_clip=False,
            seen_labels="unknown: a local checkpoint",
        )
    is_clip = config.model.startswith(CLIP_REPOSITORIES) or (config.pretrained or "").startswith(CLIP_TAGS)
    name = config.model.removeprefix(HUB).removesuffix("-quickgelu")
    return About(
        model=f"{'CLIP' if is_clip else 'Dual encoder'} {name}"
        + (f" ({config.pretrained})" if config.pretrained else ""),
        weights=(origin,),
        is_clip=is_clip,
        seen_labels="none: trained on images and texts found together on the web",
    )


@contextmanager
def _instead_of_reading(held: dict[str, torch.Tensor]) -> Iterator[None]:
    """Let open_clip have these tensors where it would read a file, which it can do in fewer forms."""
    factory = open_clip_library().factory
    reads = factory.load_state_dict
    factory.load_state_dict = lambda *_, **__: dict(held)
    try:
        yield
    finally:
        factory.load_state_dict = reads


@contextmanager
def _reading_torchscript() -> Iterator[None]:
    """Silence that torch reads archives of TorchScript in one way alone, and advises against it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(TorchScript archive|torch.jit.load)")
        yield


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    """Return the tensors in a file, also where it is an archive of TorchScript, as OpenAI publishes them."""
    if not is_torchscript(file):
        return read_tensors(file)
    with _reading_torchscript():
        script: Any = torch.jit.load(file, map_location="cpu")
    return {name: tensor for name, tensor in script.state_dict().items() if name not in _BESIDE}
