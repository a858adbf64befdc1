import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from pytest import MonkeyPatch as Patch
from torch import Tensor, nn

from experiments.classification import zero_shot as stage
from experiments.classification.bridge import SquaredReLU
from experiments.classification.towers import About, DualEncoder, embed, random_tower
from experiments.classification.zero_shot import class_embeddings, probabilities, zero_shot
from experiments.config.zero_shot import ImagenetBridge, Prompts, RandomTower, ZeroShotConfig
from experiments.context import Context
from experiments.datasets.images import ClassifiedImages
from experiments.results.zero_shot import ZeroShot
from pipeline.result import Attachment
from tests.support import contexts

CLASSES = ("cat", "ship", "truck")
SINGLE = Prompts(name="single", templates=("a photo of a {}.",))
PAIR = Prompts(name="pair", templates=("a {}.", "the {}."))
BRIDGE = ImagenetBridge(kind="imagenet_bridge", image_size=32, unlabelled_images=12, seed=3)
RANDOM = RandomTower(kind="random", seed=0)


def run(context: Context, *prompt_sets: Prompts, tower: Any = RANDOM) -> ZeroShot:
    config = ZeroShotConfig(precision="fp32", tower=tower, prompt_sets=prompt_sets or (SINGLE,))
    return zero_shot(config, {}, context)


def some_images(seed: int = 0) -> ClassifiedImages:
    rng = np.random.default_rng(seed)
    train, test = (rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for n in (14, 12))
    return ClassifiedImages(CLASSES, train, rng.integers(0, 3, 14), test, rng.integers(0, 3, 12))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    lent = {"images": some_images, "fetch": lambda archive: tmp_path, "attach": Attachment.of}
    return contexts.context(tmp_path, **lent)


def kept(context: Context) -> list[Path]:
    return sorted((context.shared / "embeddings").glob("*.npy"))


class Toy(nn.Module):
    """Two-dimensional towers: an image's features are its mean red and green, a text's are given."""

    def __init__(self, texts: list[list[float]], scale: float = 1.0) -> None:
        super().__init__()
        self.texts = nn.Parameter(torch.tensor(texts))
        self.logit_scale = nn.Parameter(torch.tensor(scale).log())

    def encode_text(self, tokens: Tensor) -> Tensor:
        return self.texts[tokens[:, 0]]


def toy(texts: list[list[float]], scale: float, seen: list[str]) -> DualEncoder:
    def tokenizer(prompts: list[str]) -> Tensor:
        seen.extend(prompts)
        return torch.arange(len(seen) - len(prompts), len(seen))[:, None]

    about = About("toy", (), is_clip=False, seen_labels="none")
    parts = {"clip": Toy(texts, scale), "trunk": nn.Identity(), "head": nn.Identity()}
    return DualEncoder(about, lambda image: torch.zeros(3, 1, 1), tokenizer, **parts, module=__name__)


def test_a_class_is_the_direction_of_the_mean_of_its_prompts_directions():
    seen: list[str] = []
    tower = toy([[10.0, 0.0], [0.0, 0.1], [3.0, 4.0], [3.0, 4.0]], 1.0, seen)
    vectors = class_embeddings(tower, ["a {}.", "the {}."], ["cat", "ship"])
    assert seen == ["a cat.", "the cat.", "a ship.", "the ship."]
    assert torch.allclose(vectors, torch.tensor([[0.5**0.5, 0.5**0.5], [0.6, 0.8]]))


def test_probabilities_are_the_softmax_of_the_scaled_cosines():
    classes = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    features = np.array([[30.0, 40.0]], dtype=np.float32)
    (found,) = probabilities(toy([[1.0, 0.0]], 5.0, []), features, classes)
    weights = np.exp([5 * 0.6, 5 * 0.8])
    assert np.allclose(found, [weights / weights.sum()])


def test_several_prompt_sets_at_once_give_each_the_probabilities_that_it_has_alone():
    random = np.random.default_rng(0)
    features = random.normal(size=(7, 2)).astype(np.float32)
    sets = torch.tensor(random.normal(size=(3, 4, 2)), dtype=torch.float32)
    tower = toy([[1.0, 0.0]], 5.0, [])
    (together,) = probabilities(tower, features, sets)
    alone = [next(probabilities(tower, features, classes)) for classes in sets]
    assert together.shape == (3, 7, 4)
    assert np.allclose(together, alone)


def test_another_prompt_set_reuses_the_embeddings_and_their_throughput(context: Context, monkeypatch: Patch):
    first = run(context)
    monkeypatch.setattr(DualEncoder, "encode_image", contexts.unwanted)
    second = run(context, PAIR, SINGLE)
    assert second.prompt_sets[1] == first.prompt_sets[0]
    assert second.images_per_second == first.images_per_second
    assert second.seconds > 12 / first.images_per_second
    assert [prompts.name for prompts in second.prompt_sets] == ["pair", "single"]
    assert second.top1 == second.prompt_sets[0].top1


def test_a_changed_weight_image_or_precision_has_embeddings_of_its_own(context: Context):
    assert run(context).precision == "fp32"
    run(context, tower=RandomTower(kind="random", seed=1))
    assert len(kept(context)) == 2
    run(dataclasses.replace(context, images=lambda: some_images(1)))
    assert len(kept(context)) == 3
    embed(random_tower(RANDOM), some_images().test_pictures, "bf16", context, lambda n: None)
    assert len(kept(context)) == 4


def test_a_damaged_file_is_made_again_with_the_same_result(context: Context):
    first = run(context)
    (file,) = kept(context)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1], whole[:-1] + b"?", b""):
        file.write_bytes(damaged)
        second = run(context)
        assert (second.predictions, second.confidence) == (first.predictions, first.confidence)
        assert len(file.read_bytes()) > len(whole) // 2


def test_a_run_killed_while_encoding_leaves_no_file(context: Context):
    with pytest.raises(KeyboardInterrupt):
        run(dataclasses.replace(context, progress=contexts.killed_at(12)))
    assert kept(context) == []


def test_the_stage_repeats_itself_exactly(context: Context, tmp_path: Path):
    elsewhere = dataclasses.replace(context, shared=tmp_path / "elsewhere")
    timing = {"seconds", "images_per_second"}
    once, again = (run(place, SINGLE, PAIR).model_dump(exclude=timing) for place in (context, elsewhere))
    assert once == again


class BridgeLike(nn.Module):
    """A model with the bridge's parts: pixels to 3 features to 4 likenesses to 2 dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.visual, self.text = nn.Module(), nn.Module()
        self.visual.trunk = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.visual.head = nn.Sequential(nn.Linear(3, 4), SquaredReLU(), nn.Linear(4, 2))
        self.text.transformer = nn.Identity()
        self.text.proj = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
        self.logit_scale = nn.Parameter(torch.tensor(1.0))
        self.requires_grad_(False)

    def encode_text(self, tokens: Tensor) -> Tensor:
        project: Any = self.text.proj
        return project(torch.stack([tokens.sum(dim=1).sin(), tokens.sum(dim=1).cos()], dim=1))


@pytest.fixture
def adapted_to(monkeypatch: Patch) -> list[np.ndarray]:
    """Stand a small model in for the bridge; collects the features that each run adapts to."""
    found: list[np.ndarray] = []
    torch.manual_seed(0)
    clip = BridgeLike()
    parts = {"clip": clip, "trunk": clip.visual.trunk, "head": clip.visual.head}
    small = dataclasses.replace(random_tower(RANDOM), **parts)
    distil = stage.distil

    def spy(bridge: DualEncoder, features: np.ndarray) -> DualEncoder:
        found.append(features)
        return distil(bridge, features)

    monkeypatch.setattr(stage, "build_bridge", lambda image_size, fetch: small)
    monkeypatch.setattr(stage, "distil", spy)
    return found


def validated(images: ClassifiedImages) -> ClassifiedImages:
    """The images with 5 for validation."""
    more = some_images(2)
    return dataclasses.replace(
        images, validation_images=more.train_images[:5], validation_labels=more.train_labels[:5]
    )


def test_no_label_of_a_training_image_changes_a_figure(context: Context, adapted_to: list[np.ndarray]):
    base = validated(some_images())
    withheld = dataclasses.replace(base, train_labels=np.full_like(base.train_labels, -1))
    one, other = (
        run(dataclasses.replace(context, images=lambda images=images: images), SINGLE, PAIR, tower=BRIDGE)
        for images in (base, withheld)
    )
    timing = {"seconds", "images_per_second"}
    assert one.model_dump(exclude=timing) == other.model_dump(exclude=timing)
    assert len(adapted_to[0]) == one.unlabelled_images == BRIDGE.unlabelled_images


def test_the_tower_adapts_to_training_images_and_to_no_others(context: Context, adapted_to: list[np.ndarray]):
    base, other = validated(some_images()), some_images(1)
    sighted = dataclasses.replace(base, train_images=other.train_images)
    blind = dataclasses.replace(base, test_images=other.test_images, validation_images=other.train_images[:5])
    for images in (base, blind, sighted):
        run(dataclasses.replace(context, images=lambda images=images: images), tower=BRIDGE)
    assert np.array_equal(adapted_to[0], adapted_to[1])
    assert not np.array_equal(adapted_to[0], adapted_to[2])


@pytest.mark.usefixtures("adapted_to")
def test_every_tower_and_prompt_set_is_scored_on_both_parts_though_images_are_encoded_once(
    context: Context, monkeypatch: Patch
):
    encoded: list[int] = []
    told: list[tuple[int, int]] = []
    original = DualEncoder.encode_image

    def count(tower: DualEncoder, pixels: Tensor, precision: Any) -> Tensor:
        encoded.append(len(pixels))
        return original(tower, pixels, precision)

    monkeypatch.setattr(DualEncoder, "encode_image", count)
    watched = dataclasses.replace(
        context,
        images=lambda: validated(some_images()),
        progress=lambda done, total, note: told.append((done, total)),
    )
    result = run(watched, SINGLE, PAIR, tower=BRIDGE)
    assert encoded == [12, 5, 12]
    assert told == [(12, 29), (17, 29), (29, 29)], "progress counts every image that is encoded"
    centred, bare = result.less_adapted
    for tower in (result, centred, bare):
        assert [each.n for each in tower.validation] == [5, 5]
    assert [each.n for each in (*centred.top1, *bare.top1)] == [12] * 4
    assert (centred.adaptation, bare.adaptation) == (
        "centred on unlabelled images", "not adapted to unlabelled images"
    )  # fmt: skip
    assert len(result.headline()) == 6


def test_other_towers_adapt_to_nothing_and_without_validation_images_there_is_no_such_figure(
    context: Context,
):
    result = run(context)
    assert (result.validation, result.less_adapted, result.unlabelled_images) == ((), (), 0)
    assert result.adaptation == "not adapted to unlabelled images"


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "{} of {0}", "{name}", "{}}", "nothing"])
def test_a_template_without_exactly_one_gap_is_refused(template: str):
    with pytest.raises(ValidationError, match="exactly one"):
        Prompts(name="x", templates=(template,))


def test_a_section_that_cannot_be_meant_is_refused():
    some = {"name": "a", "templates": ["a {}"]}
    good = {"precision": "fp32", "tower": {"kind": "random", "seed": 0}, "prompt_sets": [some]}
    ZeroShotConfig.model_validate_json(json.dumps(good))
    for change in (
        {"prompt_sets": []},
        {"prompt_sets": [some] * 2},
        {"prompt_sets": [{"name": "a", "templates": []}]},
        {"tower": {"kind": "open_clip", "model": "ViT-B-32"}},
        {"tower": {"kind": "open_clip", "model": "local-dir:x", "pretrained": "openai"}},
        {"tower": {"kind": "imagenet_bridge", "image_size": 0, "unlabelled_images": 1, "seed": 0}},
        {"tower": {"kind": "random", "seed": 0, "image_size": 32}},
        {"tower": {"kind": "clip"}},
    ):
        with pytest.raises(ValidationError):
            ZeroShotConfig.model_validate_json(json.dumps(good | change))
