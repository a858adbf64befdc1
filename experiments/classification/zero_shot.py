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

from experiments.classification.bridge import build_bridge, centre, distil
from experiments.classification.evaluation import (
    Predictions,
    Scores,
    confident_mistakes,
    predictions_of,
    score,
)
from experiments.classification.pretrained import pretrained_tower
from experiments.classification.towers import DualEncoder, embed, random_tower
from experiments.config.zero_shot import ImagenetBridge, OpenClipTower, ZeroShotConfig
from experiments.context import Context
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import Features
from experiments.results.classification import Precision
from experiments.results.zero_shot import LessAdapted, PromptSet, ZeroShot
from pipeline.result import Estimate

_ROWS = 10_000
"""Images that are classified at once, when their features are there."""


def zero_shot(config: ZeroShotConfig, inputs: Mapping[str, object], context: Context) -> ZeroShot:
    """Classify the test and the validation images once per prompt set; features are computed once for all."""
    start = time.perf_counter()
    images = context.images()
    bare = _build(config, context)
    precision = context.precision(config.precision)
    unlabelled = _unlabelled(config, images.train_pictures)
    parts = {
        "unlabelled training images": unlabelled,
        "validation images": images.validation_pictures,
        "test images": images.test_pictures,
    }
    passes = _encode(bare, parts, precision, context)
    towers = _towers(config, bare, passes)
    # By what the towers use of the images, the one that uses most first; by prompt set within each.
    described = [
        torch.stack([class_embeddings(tower, each.templates, images.classes) for each in config.prompt_sets])
        for tower in towers
    ]
    tested, tried = (
        [_predictions(tower, texts, passes.get(part)) for tower, texts in zip(towers, described, strict=True)]
        for part in ("test images", "validation images")
    )
    scores = [[score(each, images.test_labels, images.classes) for each in found] for found in tested]
    validated = [[score(each, images.validation_labels, images.classes) for each in found] for found in tried]
    reused = sum(done.seconds for done in passes.values() if done.reused)
    return ZeroShot(
        **scores[0][0],
        **vars(towers[0].about),
        parameters=towers[0].parameters(),
        epochs=0,
        precision=precision,
        seconds=round(time.perf_counter() - start + reused, 1),
        images_per_second=round(passes["test images"].images_per_second, 1),
        prompt_sets=tuple(
            PromptSet(**prompts.model_dump(), top1=each["top1"], predictions=each["predictions"])
            for prompts, each in zip(config.prompt_sets, scores[0], strict=True)
        ),
        validation=_accuracies(validated[0]),
        unlabelled_images=len(unlabelled),
        less_adapted=tuple(
            LessAdapted(
                adaptation=tower.about.adaptation, top1=_accuracies(own), validation=_accuracies(other)
            )
            for tower, own, other in zip(towers[1:], scores[1:], validated[1:], strict=True)
        ),
        mistakes=confident_mistakes(tested[0][0], images.test_labels, images.test_pictures, context.attach),
    )


def class_embeddings(tower: DualEncoder, templates: Sequence[str], classes: Sequence[str]) -> Tensor:
    """Return unit vectors (K, D): per class the mean over its prompts' unit vectors, normalised."""
    return torch.cat([_class_embedding(tower, templates, name) for name in classes])


def _class_embedding(tower: DualEncoder, templates: Sequence[str], name: str) -> Tensor:
    tokens = tower.tokenizer([template.replace("{}", name) for template in templates])
    embeddings = functional.normalize(tower.encode_text(tokens), dim=-1)
    return functional.normalize(embeddings.mean(dim=0, keepdim=True), dim=-1)


def probabilities(tower: DualEncoder, features: np.ndarray, classes: Tensor) -> Iterator[np.ndarray]:
    """Yield softmax(scale * cosine), in parts (…, B, K), of features (N, F) with class vectors (…, K, D)."""
    for first in range(0, len(features), _ROWS):
        part = torch.tensor(features[first : first + _ROWS])
        cosines = functional.normalize(tower.project(part), dim=-1) @ classes.mT
        yield (tower.logit_scale() * cosines.double()).softmax(dim=-1).numpy()


def _encode(
    tower: DualEncoder, parts: Mapping[str, Pictures], precision: Precision, context: Context
) -> dict[str, Features]:
    """Return the features of each part of the data set that holds pictures, with one progress for all."""
    total, before = sum(map(len, parts.values())), 0
    found = {}
    for name, pictures in parts.items():
        if not len(pictures):
            continue

        def report(done: int, name: str = name, all_of_it: int = len(pictures), before: int = before) -> None:
            context.progress(before + done, total, f"{name} encoded" if done == all_of_it else "")

        found[name] = embed(tower, pictures, precision, context, report)
        before += len(pictures)
    return found


def _predictions(tower: DualEncoder, described: Tensor, part: Features | None) -> list[Predictions]:
    """Classify a part of the data set by the class vectors (S, K, D) of S prompt sets; an empty one by none.

    Its images are brought to the joint space once for all sets, which takes longer than comparing them.
    """
    if part is None:
        return []
    found = [[*map(_highest, each)] for each in probabilities(tower, part.features, described)]
    return [
        Predictions(*(np.concatenate(each) for each in zip(*own, strict=True)))
        for own in zip(*found, strict=True)
    ]


def _highest(probabilities_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = predictions_of([probabilities_])
    return found.predictions, found.confidence


def _accuracies(scores: Sequence[Scores]) -> tuple[Estimate, ...]:
    return tuple(each["top1"] for each in scores)


def _towers(
    config: ZeroShotConfig, bare: DualEncoder, passes: Mapping[str, Features]
) -> tuple[DualEncoder, ...]:
    """Return the tower that is reported, and those that adapt less, which show what adapting gains."""
    if not isinstance(config.tower, ImagenetBridge):
        return (bare,)
    unlabelled = passes["unlabelled training images"].features
    return distil(bare, unlabelled), centre(bare, unlabelled), bare


def _build(config: ZeroShotConfig, context: Context) -> DualEncoder:
    match config.tower:
        case OpenClipTower():
            return pretrained_tower(config.tower, context.root)
        case ImagenetBridge():
            return build_bridge(config.tower.image_size, context.fetch)
        case _:
            return random_tower(config.tower)


def _unlabelled(config: ZeroShotConfig, pictures: Pictures) -> Pictures:
    """Return the training images that the tower adapts to, drawn without their labels."""
    if not isinstance(config.tower, ImagenetBridge):
        return pictures.at(np.zeros(0, dtype=np.int64))
    count = min(config.tower.unlabelled_images, len(pictures))
    chosen = np.random.default_rng(config.tower.seed).choice(len(pictures), count, replace=False)
    return pictures.at(np.sort(chosen))
