"""What another prompt set costs on images that were seen before: the features of the images are kept."""

from pathlib import Path

import numpy as np

from benchmarks.pairs import Command, duration, python, taken
from benchmarks.rendering import copy
from benchmarks.table import Found, Spread
from experiments.classification import bridge
from experiments.classification.evaluation import predictions_of
from experiments.classification.zero_shot import class_embeddings, probabilities
from experiments.config.zero_shot import ImagenetBridge
from experiments.datasets.downloads import fetch
from experiments.project import open_project

ROUNDS = 5
IMAGES, FEATURES = 10_000, 1280
CLASSES = [f"class {number}" for number in range(10)]
MORE = """
[[zero_shot.prompt_sets]]
name = "number {number}"
templates = ["a photo number {number} of a {{}}."]
"""


def another() -> Found:
    """Compare `run zero_shot` after a prompt set was added with the first, which encodes all test images."""
    with copy() as folder:
        (folder / ".cache").mkdir()
        (folder / ".cache" / "downloads").symlink_to(Path(".cache", "downloads").resolve())
        (folder / "results" / "offline" / "zero_shot.json").unlink()
        run = Command(python("-m", "experiments", "run", "zero_shot"), folder)
        first, profile, later = taken(run).wall, folder / "profiles" / "offline.toml", []
        for number in range(ROUNDS):
            with profile.open("a", encoding="utf-8") as file:
                file.write(MORE.format(number=number))
            later.append(taken(run).wall)
    loaded = with_the_tower_loaded()
    return Found(
        ours=Spread.of(later),
        theirs=Spread.of([first]),
        unit="s",
        remark="from the command line, imports and models included; the images' features are kept; with the "
        f"tower loaded {loaded:.2f} s, {loaded / first:.4f}",
    )


def with_the_tower_loaded() -> float:
    """Return the median seconds in which the default profile's tower classifies images by another prompt.

    Their features are made up, since the time does not depend on what they are.
    """
    project = open_project()
    config = project.profile.zero_shot
    assert config is not None and isinstance(config.tower, ImagenetBridge)
    bare = bridge.build_bridge(
        config.tower.image_size, lambda archive: fetch(archive, project.downloads, print)
    )
    features = np.random.default_rng(0).gamma(0.3, size=(IMAGES, FEATURES)).astype(np.float32)
    tower = bridge.distil(bare, features[:5_000])

    def another() -> None:
        described = class_embeddings(tower, ["a photo of the number {}."], CLASSES)
        predictions_of(probabilities(tower, features, described))

    return Spread.of([duration(another) for _ in range(ROUNDS)]).median
