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
from experiments.classification.towers import About, DualEncoder, embed, random_tower
from experiments.classification.zero_shot import class_embeddings, probabilities, zero_shot
from experiments.config.zero_shot import ImagenetBridge, Prompts, RandomTower, ZeroShotConfig
from experiments.context import Context
from experiments.datasets.images import ClassifiedImages
from experiments.results.zero_shot import ZeroShot
from tests.support import contexts

CLASSES = ("cat", "ship", "truck")
SINGLE = Prompts(name="single", templates=("a photo of a {}.",))
PAIR = Prompts(name="pair", templates=("a {}.", "the {}."))
BRIDGE = ImagenetBridge(kind="imagenet_bridge", image_size=32, unlabelled_images=6, seed=3)
RANDOM = RandomTower(kind="random", seed=0)


def run(context: Context, *prompt_sets: Prompts, tower: Any = RANDOM) -> ZeroShot:
    config = ZeroShotConfig(precision="fp32", tower=tower, prompt_sets=prompt_sets or (SINGLE,))
    return zero_shot(config, {}, context)


def some_images(seed: int = 0) -> ClassifiedImages:
    rng = np.random.default_rng(seed)
    train, test = (rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for n in (9, 12))
    return ClassifiedImages(CLASSES, train, rng.integers(0, 3, 9), test, rng.integers(0, 3, 12))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return contexts.context(tmp_path, images=some_images, fetch=lambda archive: tmp_path)


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
    return DualEncoder(about, lambda image: torch.zeros(3, 1, 1), tokenizer, **parts)


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
    elsewhere = contexts.context(tmp_path / "elsewhere", images=some_images)
    timing = {"seconds", "images_per_second"}
    once, again = (run(place, SINGLE, PAIR).model_dump(exclude=timing) for place in (context, elsewhere))
    assert once == again


class BridgeLike(nn.Module):
    """A model with the bridge's parts: pixels to 3 features to 4 logits to 2 dimensions."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = nn.Module()
        self.visual.trunk = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.visual.head = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        self.logit_scale = nn.Parameter(torch.tensor(1.0))
        self.requires_grad_(False)

    def encode_text(self, tokens: Tensor) -> Tensor:
        return torch.stack([tokens.sum(dim=1).sin(), tokens.sum(dim=1).cos()], dim=1)


@pytest.fixture
def centrings(monkeypatch: Patch) -> list[Tensor]:
    """Stand a small model in for the bridge; collects the bias that each run centres it to."""
    biases: list[Tensor] = []
    torch.manual_seed(0)
    clip = BridgeLike()
    parts = {"clip": clip, "trunk": clip.visual.trunk, "head": clip.visual.head}
    small = dataclasses.replace(random_tower(RANDOM), **parts)
    centre = stage.centre

    def spy(bridge: DualEncoder, features: np.ndarray) -> DualEncoder:
        centred = centre(bridge, features)
        biases.append(centred.head[0].bias)  # pyright: ignore[reportIndexIssue, reportArgumentType]
        assert len(features) == BRIDGE.unlabelled_images
        return centred

    monkeypatch.setattr(stage, "build_bridge", lambda image_size, fetch: small)
    monkeypatch.setattr(stage, "centre", spy)
    return biases


def test_centring_sees_training_images_but_no_label_or_test_image(context: Context, centrings: list[Tensor]):
    base, other = some_images(), some_images(1)
    sighted = dataclasses.replace(base, train_images=other.train_images)
    blind = dataclasses.replace(other, train_images=base.train_images)
    for images in (base, blind, sighted):
        run(dataclasses.replace(context, images=lambda images=images: images), tower=BRIDGE)
    assert torch.equal(centrings[0], centrings[1])
    assert not torch.equal(centrings[0], centrings[2])


@pytest.mark.usefixtures("centrings")
def test_only_the_bridge_has_a_figure_without_centring_at_no_cost(context: Context, monkeypatch: Patch):
    assert run(context).without_centring is None
    encoded: list[int] = []
    told: list[tuple[int, int]] = []
    original = DualEncoder.encode_image

    def count(tower: DualEncoder, pixels: Tensor, precision: Any) -> Tensor:
        encoded.append(len(pixels))
        return original(tower, pixels, precision)

    monkeypatch.setattr(DualEncoder, "encode_image", count)
    watched = dataclasses.replace(context, progress=lambda done, total, note: told.append((done, total)))
    result = run(watched, tower=BRIDGE)
    assert encoded == [6, 12]
    assert told == [(6, 18), (18, 18)], "progress counts every image that is encoded"
    assert result.without_centring is not None
    assert "top1 (without centring)" in result.headline()


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "{} of {0}", "{name}", "{}}", ""])
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
