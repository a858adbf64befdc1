"""What `test_processes` runs once in one process and once in two: prints nothing, keeps what it found.

Called with the folder to work in and the file to write.
"""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from experiments.captioning import adapter
from experiments.captioning.captioners.untrained import random_encoder_decoder
from experiments.captioning.inference import write_captions
from experiments.captioning.tuning import Pairs, Recipe, tune
from experiments.classification.training import predict
from experiments.classification.vit import VisionTransformer
from experiments.config.captioner import RandomCaptionerConfig
from experiments.config.images import GeneratedConfig
from experiments.config.photos import GeneratedPhotos
from experiments.config.training import VitConfig
from experiments.config.tuning import GenerationConfig
from experiments.datasets.generated import generate
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.pictures import Pictures
from experiments.models import feature_store
from experiments.models.processes import Processes, among, is_main, shared_out
from tests.support.contexts import context, silently

VIT = VitConfig(
    seed=0, precision="fp32", epochs=1, batch_size=10, learning_rate=1e-3, weight_decay=0, label_smoothing=0,
    translate=0, stem_width=8, width=16, depth=1, heads=2,
)  # fmt: skip
RECIPE = Recipe(seed=1, epochs=3, batch_size=4, learning_rate=1e-3)
"""Of nine photos: a batch of four, another, and one of a single photo, which leaves a process without any."""


def order(processes: Processes, folder: Path) -> list[int]:
    """Square numbers, each in one process, and count what each process did."""
    done: list[int] = []

    def square(number: int) -> int:
        done.append(number)
        return number**2

    squares = list(shared_out(processes, square, range(7)))
    assert sum(processes.gather(len(done))) == 7
    return squares


def cached(processes: Processes, folder: Path) -> Any:
    """Compute features of pictures, then read them again."""
    images = np.random.default_rng(0).integers(0, 256, (23, 4, 4, 3), dtype=np.uint8)
    computed: list[int] = []

    def encode(pictures: Sequence[np.ndarray]) -> torch.Tensor:
        computed.extend(int(picture[0, 0, 0]) for picture in pictures)
        return torch.stack([torch.tensor(picture.mean(axis=0), dtype=torch.float32) for picture in pictures])

    def ask() -> feature_store.Features:
        lent = context(folder, processes=processes)
        return feature_store.cached_features(
            encode,
            "encoder",
            Pictures(images.__getitem__, len(images)),
            lent,
            module="experiments.datasets.pictures",
            folder="features",
        )

    feature_store.BATCH = 5
    images[:, 0, 0, 0] = range(23)
    first = ask()
    everywhere = [position for part in processes.gather(computed) for position in part]
    assert sorted(everywhere) == list(range(23))
    second = ask()
    return np.array(first.features), np.array(second.features), first.reused, second.reused


def predicted(processes: Processes, folder: Path) -> Any:
    """Classify more images than fit into a batch."""
    images = generate(GeneratedConfig(kind="generated", seed=0, train=40, test=1203, size=16))
    torch.manual_seed(0)
    network = VisionTransformer(images.train_images, 4, VIT)
    found = predict(network, images.test_images, "fp32", processes)
    return found.predictions, found.confidence


def tuned(processes: Processes, folder: Path) -> Any:
    """Tune an adapter, and let it write."""
    photos = generate_photos(
        GeneratedPhotos(kind="generated", seed=1, tuning=9, evaluation=2, size=16)
    ).tuning
    config = RandomCaptionerConfig(kind="random", seed=0, precision="fp32", held_out=1)
    options = {"r": 4, "alpha": 8, "dropout": 0.0, "targets": ("c_attn", "c_proj"), "seed": 1}
    captioner = adapter.with_adapter(random_encoder_decoder(config), **options)  # pyright: ignore[reportArgumentType]
    seen = np.array(captioner.encode([photo.pixels for photo in photos]))
    checkpoint = folder / "checkpoint.pt"
    tuning = tune(
        captioner,
        Pairs(seen, [photo.references[0] for photo in photos]),
        RECIPE,
        progress=silently,
        checkpoint=checkpoint,
        processes=processes,
    )
    weights = {
        name: part.detach().numpy()
        for name, part in captioner.network.named_parameters()
        if part.requires_grad
    }
    many = np.tile(seen, (25, 1, 1))  # more captions than are written at once
    captions = write_captions(captioner, many, GenerationConfig(max_new_tokens=6, beams=1), processes)
    return tuning.loss, weights, [caption.text for caption in captions]


def main(folder: Path, target: Path) -> None:
    """Run everything and let the main process keep what all found, which must be the same."""
    torch.set_num_threads(1)
    processes = among()
    work = {"order": order, "cached": cached, "predicted": predicted, "tuned": tuned}
    found = {name: run(processes, folder) for name, run in work.items()}
    everywhere = processes.gather(pickle.dumps(found))
    if is_main(processes):
        target.write_bytes(pickle.dumps({"count": processes.count, "found": everywhere}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
