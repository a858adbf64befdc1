"""Training from scratch beside the plain use of PyTorch for the same network."""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.pairs import duration
from benchmarks.table import Found, Spread
from experiments import profile
from experiments.classification.inputs import augmented_batches
from experiments.classification.training import Training, predict, train
from experiments.classification.vit import VisionTransformer, adamw
from experiments.config.training import TrainingConfig, VitConfig
from experiments.context import Context
from experiments.datasets.cifar10 import load
from experiments.datasets.images import ClassifiedImages
from experiments.models.precision import best_device, chosen
from experiments.models.processes import ALONE
from experiments.models.seeding import seeded
from experiments.project import open_project

LEVEL = 0.8
"""The share of the validation images at which a training has come far enough."""
PLAIN_RATE = 1e-3
"""The learning rate that PyTorch gives AdamW by itself."""
MOST_EPOCHS = 40


def vit() -> Found:
    """Compare the default profile's ViT with one that AdamW trains in fp32, to `LEVEL` of validation images.

    Both see the same augmented batches. The plain one is trained at one rate, as PyTorch sets it by itself.

    Raises:
        RuntimeError: if ours does not come so far.
    """
    project = open_project(profile.DEFAULT)
    config, section = project.profile.vit, project.profile.images
    assert config is not None
    images = load(section, project.downloads, print)  # pyright: ignore[reportArgumentType]
    seconds, epochs, precision = _by_the_profile(config, images)
    plainly, needed, share = _plainly(config, images)
    return Found(
        ours=Spread.of([seconds]),
        theirs=Spread.of([plainly]),
        unit="s",
        remark=f"{precision}, {epochs} epochs; plainly fp32, {needed} epochs to {share:.1%}",
    )


def _by_the_profile(config: VitConfig, images: ClassifiedImages) -> tuple[float, int, str]:
    """Return the seconds and the epochs until the level was reached, and the precision."""
    with seeded(config.seed):
        network = placed(VisionTransformer(images.train_images, len(images.classes), config))
    optimiser = adamw(network, config.learning_rate, config.weight_decay)
    done = trained(network, optimiser, images, config)
    shares = [right / len(images.validation_labels) for right in done.right]
    reached = next((epoch for epoch, share in enumerate(shares, start=1) if share >= LEVEL), None)
    if reached is None:
        raise RuntimeError(f"The profile's ViT came to {max(shares):.1%} of the validation images.")
    return done.seconds * reached / config.epochs, reached, done.precision


def placed(network: nn.Module) -> nn.Module:
    """Return a network where and as a stage trains it."""
    return network.to(memory_format=torch.channels_last).to(best_device())  # pyright: ignore[reportCallIssue]


def trained(
    network: nn.Module, optimiser: torch.optim.Optimizer, images: ClassifiedImages, config: TrainingConfig
) -> Training:
    """Train a network as a stage does, and return how that went."""
    with tempfile.TemporaryDirectory() as scratch:
        return train(network, optimiser, images, config=config, context=surroundings(Path(scratch)))


def _plainly(config: VitConfig, images: ClassifiedImages) -> tuple[float, int, float]:
    """Return the seconds and epochs until the level or the last epoch, and the share that was reached."""
    with seeded(config.seed):
        network = VisionTransformer(images.train_images, len(images.classes), config).to(best_device())
    optimiser = torch.optim.AdamW(network.parameters(), lr=PLAIN_RATE)
    count, seconds, share, epoch = len(images.train_images) // config.batch_size, 0.0, 0.0, 0
    while share < LEVEL and epoch < MOST_EPOCHS:
        batches = augmented_batches(
            images.train_images, images.train_labels, count,
            translate=config.translate, seed=config.seed, epoch=epoch,
        )  # fmt: skip
        network.train()

        def learn(batches: Any = batches) -> None:
            for pixels, labels in batches:
                optimiser.zero_grad()
                logits = network(pixels.to(best_device()))
                functional.cross_entropy(logits, labels.to(best_device())).backward()
                optimiser.step()

        seconds += duration(learn)
        found = predict(network, images.validation_images, "fp32", ALONE)
        share = float((found.predictions == images.validation_labels).mean())
        epoch += 1
        print(f"epoch {epoch}: {share:.1%} after {seconds:.0f} s", flush=True)
    return seconds, epoch, share


def surroundings(scratch: Path) -> Context:
    """Return what a training is lent, of which it asks for a folder, a precision and the progress."""
    asked: dict[str, Any] = dict.fromkeys(
        ("images", "photos", "fetch", "manifest", "code_of", "artefact", "attach")
    )

    def report(done: int, total: int, note: str) -> None:
        if note:
            print(note, flush=True)

    return Context(
        **asked, scratch=scratch, shared=scratch, precision=chosen, progress=report, root=Path.cwd(),
        processes=ALONE,
    )  # fmt: skip
