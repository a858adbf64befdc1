"""Zero-shot classification: each image gets the class whose description lies nearest.

Radford et al. (2021), "Learning Transferable Visual Models From Natural Language Supervision",
arXiv:2103.00020, section 3.1, prompt ensembling included.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from experiments.classification.bridge import build_bridge, centre
from experiments.classification.evaluation import Scores, predictions_of, score
from experiments.classification.pretrained import pretrained_tower
from experiments.classification.towers import DualEncoder, embed, random_tower
from experiments.config.zero_shot import ImagenetBridge, OpenClipTower, ZeroShotConfig
from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import Features
from experiments.results.zero_shot import PromptSet, ZeroShot

_ROWS = 10_000
"""Images that are classified at once, when their features are there."""


def zero_shot(config: ZeroShotConfig, inputs: Mapping[str, object], context: Context) -> ZeroShot:
    """Classify the test images once per prompt set; their features are computed once for all."""
    start = time.perf_counter()
    images = context.images()
    tower, uncentred = _build(config, context), None
    unlabelled = _unlabelled(config, images.train_pictures)
    precision = context.precision(config.precision)
    total = len(unlabelled) + len(images.test_pictures)
    passes: list[Features] = []

    def encode(pictures: Pictures, note: str) -> np.ndarray:
        before = sum(len(done.features) for done in passes)

        def report(done: int) -> None:
            context.progress(before + done, total, note if done == len(pictures) else "")

        passes.append(embed(tower, pictures, precision, context, report))
        return passes[-1].features

    if isinstance(config.tower, ImagenetBridge):
        uncentred = tower
        tower = centre(tower, encode(unlabelled, "unlabelled training images encoded"))
    features = encode(images.test_pictures, "test images encoded")

    def classify(by: DualEncoder, templates: Sequence[str]) -> Scores:
        found = predictions_of(probabilities(by, features, class_embeddings(by, templates, images.classes)))
        return score(found, images.test_labels, images.classes)

    scores = [classify(tower, prompts.templates) for prompts in config.prompt_sets]
    without_centring = None
    if uncentred is not None:
        without_centring = classify(uncentred, config.prompt_sets[0].templates)["top1"]
    return ZeroShot(
        **scores[0],
        **vars(tower.about),
        parameters=tower.parameters(),
        epochs=0,
        precision=precision,
        seconds=round(time.perf_counter() - start + sum(done.seconds for done in passes if done.reused), 1),
        images_per_second=round(passes[-1].images_per_second, 1),
        prompt_sets=tuple(
            PromptSet(**prompts.model_dump(), top1=each["top1"], predictions=each["predictions"])
            for prompts, each in zip(config.prompt_sets, scores, strict=True)
        ),
        without_centring=without_centring,
    )


def class_embeddings(tower: DualEncoder, templates: Sequence[str], classes: Sequence[str]) -> Tensor:
    """Return unit vectors (K, D): per class the mean over its prompts' unit vectors, normalised."""
    return torch.cat([_class_embedding(tower, templates, name) for name in classes])


def _class_embedding(tower: DualEncoder, templates: Sequence[str], name: str) -> Tensor:
    tokens = tower.tokenizer([template.replace("{}", name) for template in templates])
    embeddings = functional.normalize(tower.encode_text(tokens), dim=-1)
    return functional.normalize(embeddings.mean(dim=0, keepdim=True), dim=-1)


def probabilities(tower: DualEncoder, features: np.ndarray, classes: Tensor) -> Iterator[np.ndarray]:
    """Yield softmax(scale * cosine), in parts (B, K), of features (N, F) with class vectors (K, D)."""
    for first in range(0, len(features), _ROWS):
        part = torch.tensor(features[first : first + _ROWS])
        cosines = functional.normalize(tower.project(part), dim=-1) @ classes.T
        yield (tower.logit_scale() * cosines.double()).softmax(dim=-1).numpy()


def _build(config: ZeroShotConfig, context: Context) -> DualEncoder:
    match config.tower:
        case OpenClipTower():
            return pretrained_tower(config.tower, context.root)
        case ImagenetBridge():
            return build_bridge(config.tower.image_size, context.fetch)
        case _:
            return random_tower(config.tower)


def _unlabelled(config: ZeroShotConfig, pictures: Pictures) -> Pictures:
    """Return the training images whose mean logits the tower is centred by, drawn without their labels."""
    if not isinstance(config.tower, ImagenetBridge):
        return pictures.at(np.zeros(0, dtype=np.int64))
    count = min(config.tower.unlabelled_images, len(pictures))
    chosen = np.random.default_rng(config.tower.seed).choice(len(pictures), count, replace=False)
    return pictures.at(np.sort(chosen))
