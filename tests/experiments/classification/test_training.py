from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from pytest import MonkeyPatch as Patch
from torch import nn
from torch.nn import functional

from experiments.classification import training
from experiments.classification.cnn import cnn, network
from experiments.classification.inputs import Pixels, augmented_batches
from experiments.classification.training import predict
from experiments.classification.vit import VisionTransformer, vit
from experiments.config.training import CnnConfig, VitConfig
from experiments.datasets.images import ClassifiedImages as Images
from experiments.models import checkpoint, precision
from experiments.models.processes import ALONE
from experiments.models.schedule import learning_rate_factor
from experiments.results.trained import TrainedClassifier as Trained
from tests.support.contexts import context
from tests.support.refusals import refusal

EPOCHS, BATCHES = 3, 4
COMMON: dict[str, Any] = {"seed": 3, "epochs": EPOCHS, "batch_size": 40, "precision": "bf16"}
COMMON |= {"weight_decay": 1e-3, "label_smoothing": 0.1, "translate": 1}
CNN = CnnConfig(**COMMON, learning_rate=0.4, widths=(8, 16))
VIT = VitConfig(**COMMON, learning_rate=5e-3, stem_width=8, width=16, depth=1, heads=2)
Config = CnnConfig | VitConfig
BOTH = pytest.mark.parametrize("config", [CNN, VIT], ids=["cnn", "vit"])


@pytest.fixture(scope="module")
def images() -> Images:
    """Four classes of 16×16 images, each in its own colour under a little noise."""
    random = np.random.default_rng(0)
    colours = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [180, 180, 60]])

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = random.integers(0, 4, count)
        noise = random.normal(0, 30, (count, 16, 16, 3))
        pixels = (colours[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)
        pixels.setflags(write=False)
        labels.setflags(write=False)
        return pixels, labels

    return Images(("red", "green", "blue", "olive"), *draw(160), *draw(60))


def run(config: Config, images: Images, scratch: Path, kill_at: int | None = None) -> Trained:
    """Run the section's stage; `kill_at` is the number of finished batches at which progress raises."""

    def progress(done: int, total: int, note: str) -> None:
        assert 0 < done <= total == config.epochs * BATCHES
        if done == kill_at:
            raise KeyboardInterrupt

    scratch.mkdir(exist_ok=True)
    lent = context(scratch, images=lambda: images, progress=progress)
    return cnn(config, {}, lent) if isinstance(config, CnnConfig) else vit(config, {}, lent)


def numbers(result: Trained) -> dict[str, object]:
    """Return all of a result that does not depend on the clock."""
    return result.model_dump(exclude={"seconds", "training_seconds", "images_per_second"})


@BOTH
@pytest.mark.parametrize(
    "kills", [(2,), (BATCHES,), (BATCHES + 2,), (2 * BATCHES + 3,), (BATCHES + 1, 2 * BATCHES + 1)]
)
def test_killed_trainings_end_in_the_same_numbers(config: Config, images: Images, tmp_path: Path, kills: Any):
    whole = run(config, images, tmp_path / "whole")
    for kill_at in kills:
        with pytest.raises(KeyboardInterrupt):
            run(config, images, tmp_path / "killed", kill_at)
    assert numbers(run(config, images, tmp_path / "killed")) == numbers(whole)


def test_training_keeps_its_precision_on_another_machine(images: Images, tmp_path: Path, monkeypatch: Patch):
    free = CNN.model_copy(update={"precision": "auto"})
    monkeypatch.setattr(precision, "chosen", lambda choice: "bf16")
    whole = run(free, images, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(free, images, tmp_path / "moved", BATCHES + 1)
    monkeypatch.setattr(precision, "chosen", lambda choice: "fp32")
    moved = run(free, images, tmp_path / "moved")
    assert moved.precision == "bf16"
    assert numbers(moved) == numbers(whole)
    assert run(free, images, tmp_path / "other").precision == "fp32"


def test_a_checkpoint_that_was_altered_is_not_gone_on_with(images: Images, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        run(CNN, images, tmp_path, 2 * BATCHES + 1)
    path = tmp_path / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert checkpoint.load(path, torch.device("cpu")) is None
    assert numbers(run(CNN, images, tmp_path)) == numbers(run(CNN, images, tmp_path / "whole"))


def test_resuming_repeats_no_epoch_and_adds_up_the_time(images: Images, tmp_path: Path, monkeypatch: Patch):
    with pytest.raises(KeyboardInterrupt):
        run(CNN, images, tmp_path, 2 * BATCHES + 1)
    earlier = checkpoint.load(tmp_path / "checkpoint.pt", torch.device("cpu"))
    assert earlier is not None
    assert len(earlier.loss) == 2
    checkpoint.save(replace(earlier, seconds=1000.0), tmp_path / "checkpoint.pt")
    epochs = []

    def spy(*arguments: object, **options: object) -> object:
        epochs.append(options["epoch"])
        return augmented_batches(*arguments, **options)  # pyright: ignore

    monkeypatch.setattr(training, "augmented_batches", spy)
    result = run(CNN, images, tmp_path)
    assert epochs == [2]
    assert result.loss[:2] == tuple(round(loss, 4) for loss in earlier.loss)
    assert result.seconds >= result.training_seconds >= 1000.0


def test_a_finished_training_is_not_run_again(images: Images, tmp_path: Path, monkeypatch: Patch):
    first = run(CNN, images, tmp_path)
    monkeypatch.delattr(training, "_epoch")
    assert numbers(run(CNN, images, tmp_path)) == numbers(first)


def test_a_checkpoint_is_never_replaced_by_half_of_one(images: Images, tmp_path: Path, monkeypatch: Patch):
    whole, save, calls = run(CNN, images, tmp_path / "whole"), torch.save, []

    def interrupted(value: object, file: object) -> None:
        calls.append(value)
        if len(calls) == 2:
            file.write(b"half a checkpoint")  # pyright: ignore
            raise KeyboardInterrupt
        save(value, file)  # pyright: ignore

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", interrupted)
        run(CNN, images, tmp_path / "killed")
    kept = checkpoint.load(tmp_path / "killed" / "checkpoint.pt", torch.device("cpu"))
    assert kept is not None
    assert len(kept.loss) == 1
    assert numbers(run(CNN, images, tmp_path / "killed")) == numbers(whole)


@BOTH
def test_the_numbers_follow_the_seed_and_no_global_generator(config: Config, images: Images, tmp_path: Path):
    first = run(config, images, tmp_path / "first")
    torch.rand(7)
    before = torch.random.get_rng_state()
    again = run(config, images, tmp_path / "again")
    assert torch.equal(torch.random.get_rng_state(), before)
    other = run(config.model_copy(update={"seed": 4}), images, tmp_path / "other")
    assert numbers(first) == numbers(again)
    assert first.loss != other.loss


@BOTH
def test_a_separable_set_is_learnt(config: Config, images: Images, tmp_path: Path):
    name = "CNN" if config is CNN else "ViT with convolutional stem"
    result = run(config.model_copy(update={"epochs": 10}), images, tmp_path)
    assert result.top1.value > 0.95
    assert result.loss[-1] < result.loss[0]
    assert (len(result.loss), result.training_images, result.top1.n) == (10, 160, 60)
    assert result.model == f"{name} ({result.parameters / 1000:.0f} k)"


@BOTH
def test_the_test_images_have_no_influence_on_the_training(config: Config, images: Images, tmp_path: Path):
    fewer = replace(images, test_images=images.test_images[:10], test_labels=images.test_labels[:10])
    some, all_ = run(config, fewer, tmp_path / "some"), run(config, images, tmp_path / "all")
    assert some.loss == all_.loss
    assert some.predictions == all_.predictions[:10]


def test_divergence_is_one_sentence_that_says_what_to_do(images: Images, tmp_path: Path):
    sentence = refusal(run, CNN.model_copy(update={"learning_rate": 1e30}), images, tmp_path)
    assert "diverged in epoch 1 " in sentence and "learning_rate below" in sentence
    assert not list(tmp_path.iterdir())


def test_predict_agrees_with_a_worked_example():
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([0.0, 1.0]))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return pixels[:, 0, 0, :1] * self.weight

    grey = np.zeros((3, 2, 2, 3), dtype=np.uint8)
    grey[1], grey[2] = 1, 2
    odds = np.exp([0.0, 1.0, 2.0])
    expected = np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)
    found = predict(Constant(), grey, "fp32", ALONE)
    np.testing.assert_allclose(found.confidence, expected.max(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found.predictions, [0, 1, 1])


def test_pixels_standardises_each_channel_of_the_training_images(images: Images):
    standard = Pixels(images.train_images)(torch.tensor(images.train_images))
    assert standard.shape == (160, 3, 16, 16)
    torch.testing.assert_close(standard.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(standard.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)


TEN = torch.arange(10 * 4 * 5 * 3, dtype=torch.uint8).reshape(10, 4, 5, 3)


def epoch_of(translate: int, epoch: int) -> dict[int, torch.Tensor]:
    """Return each of the ten images as augmented, by its label, which is its position."""
    batches = augmented_batches(TEN.numpy(), np.arange(10), 3, translate=translate, seed=1, epoch=epoch)
    parts = list(batches)
    assert sorted(len(part) for _, part in parts) == [3, 3, 4]
    return {int(label): image for batch, part in parts for label, image in zip(part, batch, strict=True)}


def test_an_epoch_holds_every_image_once_mirrored_in_every_second_epoch():
    even, odd = epoch_of(0, epoch=0), epoch_of(0, epoch=1)
    assert sorted(even) == list(range(10))
    mirrored = [not torch.equal(even[label], TEN[label]) for label in range(10)]
    assert 0 < sum(mirrored) < 10
    for label in range(10):
        assert torch.equal(even[label], odd[label].flip(1))
        assert torch.equal((odd if mirrored[label] else even)[label], TEN[label])


def test_shifted_images_are_filled_by_reflection():
    padded = np.pad(TEN.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    for label, image in epoch_of(2, epoch=0).items():
        windows = [padded[label, y : y + 4, x : x + 5] for y in range(5) for x in range(5)]
        windows += [window[:, ::-1] for window in windows]
        assert any(np.array_equal(image, window) for window in windows)


def test_order_and_shifts_differ_between_epochs_and_seeds():
    images, labels = np.zeros((50, 4, 4, 3), dtype=np.uint8), np.arange(50)
    orders = set()
    for seed, epoch in ((1, 0), (1, 1), (2, 0), (2, 1), (1, 0)):
        batches = augmented_batches(images, labels, 5, translate=1, seed=seed, epoch=epoch)
        orders.add(tuple(torch.cat([part for _, part in batches]).tolist()))
    assert len(orders) == 4


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    factors = [learning_rate_factor(done, warm_up=0.2, first=0.2) for done in (0.0, 0.1, 0.2, 0.6, 0.999)]
    assert factors == pytest.approx([0.2, 0.6, 1.0, 0.5, 0.00125])


def test_the_first_convolution_of_the_cnn_whitens_the_patches(images: Images):
    layers = network(images.train_images, 4, (8, 8))
    pixels, whitening = layers[0], layers[1]
    responses = whitening(pixels(torch.tensor(images.train_images))).transpose(0, 1).flatten(1)
    torch.testing.assert_close(responses[:12], -responses[12:])
    torch.testing.assert_close(torch.cov(responses[:12]), torch.eye(12), atol=0.02, rtol=0)


def test_the_attention_of_the_vit_is_scaled_dot_product_attention(images: Images):
    block = VisionTransformer(images.train_images, 4, VIT).blocks[0]
    attention = block.attention[1]  # pyright: ignore
    tokens = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    parts = attention.to_parts(tokens).chunk(3, dim=2)  # pyright: ignore
    heads = [part.unflatten(2, (2, 8)).transpose(1, 2) for part in parts]
    expected = functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention(tokens), attention.to_output(expected))  # pyright: ignore


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValidationError, match="heads = 3 must divide width = 16"):
        VitConfig.model_validate({**VIT.model_dump(), "heads": 3})
