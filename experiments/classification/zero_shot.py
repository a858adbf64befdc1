"""Zero-shot classification: each image gets the class whose description lies nearest.

Radford et al. (2021), "Learning Transferable Visual Models From Natural Language Supervision",
arXiv:2103.00020, section 3.1, prompt ensembling included.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from experiments.classification.bridge import build_bridge, centre
from experiments.classification.embeddings import choose_precision, embed
from experiments.classification.evaluation import score
from experiments.classification.pretrained import pretrained_tower
from experiments.classification.towers import DualEncoder, Tower, random_tower
from experiments.context import Context
from experiments.features import Features
from experiments.results.zero_shot import PromptSet, ZeroShot
from experiments.sections.zero_shot import ImagenetBridge, OpenClipTower, ZeroShotSection


def zero_shot(section: ZeroShotSection, inputs: Mapping[str, object], context: Context) -> ZeroShot:
    """Classify the test images once per prompt set; their features are computed once for all."""
    start = time.perf_counter()
    images = context.images()
    tower, uncentred = _build(section, context), None
    folder = context.shared / "embeddings"
    precision = choose_precision(tower, images.test_images, folder)
    unlabelled = _unlabelled(section, images.train_images)
    total = len(unlabelled) + len(images.test_images)
    passes: list[Features] = []

    def encode(pictures: np.ndarray, note: str) -> np.ndarray:
        before = sum(len(done.features) for done in passes)
        passes.append(
            embed(
                tower,
                pictures,
                folder,
                precision,
                lambda done: context.progress(before + done, total, note if done == len(pictures) else ""),
            )
        )
        return passes[-1].features

    if isinstance(section.tower, ImagenetBridge):
        uncentred = tower
        tower = centre(tower, torch.from_numpy(encode(unlabelled, "unlabelled training images encoded")))
    features = torch.from_numpy(encode(images.test_images, "test images encoded"))

    def classify(by: Tower, templates: Sequence[str]) -> np.ndarray:
        return probabilities(by, features, class_embeddings(by, templates, images.classes))

    likely = [classify(tower, prompts.templates) for prompts in section.prompt_sets]
    scores = [score(each, images.test_labels, images.classes) for each in likely]
    without_centring = None
    if uncentred is not None:
        plain = classify(uncentred, section.prompt_sets[0].templates)
        without_centring = score(plain, images.test_labels, images.classes)["top1"]
    return ZeroShot(
        **scores[0],
        model=tower.about.model,
        weights=tower.about.weights,
        is_clip=tower.about.is_clip,
        seen_labels=tower.about.seen_labels,
        parameters=tower.parameters(),
        epochs=0,
        precision=precision,
        seconds=round(time.perf_counter() - start + sum(done.seconds for done in passes if done.reused), 1),
        images_per_second=round(passes[-1].images_per_second, 1),
        prompt_sets=tuple(
            PromptSet(
                name=prompts.name,
                templates=prompts.templates,
                top1=each["top1"],
                predictions=each["predictions"],
            )
            for prompts, each in zip(section.prompt_sets, scores, strict=True)
        ),
        without_centring=without_centring,
    )


def class_embeddings(tower: Tower, templates: Sequence[str], classes: Sequence[str]) -> Tensor:
    """Return unit vectors (K, D): per class the mean over its prompts' unit vectors, normalised."""
    prompts = [template.replace("{}", name) for name in classes for template in templates]
    embeddings = functional.normalize(tower.encode_text(tower.tokenizer(prompts)), dim=-1)
    return functional.normalize(embeddings.reshape(len(classes), len(templates), -1).mean(dim=1), dim=-1)


def probabilities(tower: Tower, features: Tensor, classes: Tensor) -> np.ndarray:
    """Return softmax(scale * cosine), of shape (N, K), of image features (N, F) with class vectors (K, D)."""
    cosines = functional.normalize(tower.project(features), dim=-1) @ classes.T
    return (tower.logit_scale() * cosines.double()).softmax(dim=-1).numpy()


def _build(section: ZeroShotSection, context: Context) -> DualEncoder:
    match section.tower:
        case OpenClipTower():
            return pretrained_tower(section.tower)
        case ImagenetBridge():
            return build_bridge(section.tower.image_size, context.fetch)
        case _:
            return random_tower(section.tower)


def _unlabelled(section: ZeroShotSection, train_images: np.ndarray) -> np.ndarray:
    """Return the training images whose mean logits the tower is centred by, drawn without their labels."""
    if not isinstance(section.tower, ImagenetBridge):
        return train_images[:0]
    count = min(section.tower.unlabelled_images, len(train_images))
    chosen = np.random.default_rng(section.tower.seed).choice(len(train_images), count, replace=False)
    return train_images[np.sort(chosen)]
