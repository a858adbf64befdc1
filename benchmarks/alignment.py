"""How much the aligned captioner depends on luck: the recipe of `offline` at several seeds and precisions.

Run as ``python -m benchmarks.alignment [SEED:PRECISION …]``, by default three seeds at fp32 and at bf16, one
and a half hours on two cores. Each training is that of the stage `align`, on the photos that its seed draws;
its captions are judged by whether they name the right class of validation images, and test images are not
looked at. Printed is a line for each training, then their mean, and the largest less the smallest of them.
"""

import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from experiments import profile
from experiments.captioning.align import align
from experiments.context import Context
from experiments.datasets.downloads import fetch
from experiments.datasets.loading import load_images, load_photos
from experiments.models.precision import chosen
from experiments.models.processes import ALONE

TRAININGS = tuple(f"{seed}:{precision}" for precision in ("fp32", "bf16") for seed in range(3))
VALIDATION = 2_500
"""Images whose captions are judged."""


def main(trainings: tuple[str, ...]) -> None:
    """Run the trainings one after the other and print what they came to."""
    root = Path()
    recipe = profile.load("offline", root)
    assert recipe.images and recipe.photos and recipe.captioner
    downloads = root / ".cache" / "downloads"
    images = load_images(recipe.images, root, downloads, root / ".cache" / "prepared", print)
    judged = replace(images, test_images=images.validation_images, test_labels=images.validation_labels)
    photos = load_photos(recipe.photos, root, downloads, print)
    rates = []
    for training in trainings:
        seed, precision = training.split(":")
        changed = {"seed": int(seed), "precision": precision, "held_out": VALIDATION}
        with tempfile.TemporaryDirectory() as scratch:
            context = Context(
                images=lambda: judged, photos=lambda: photos, precision=chosen, code_of=str,
                fetch=partial(fetch, downloads=downloads, say=print), scratch=Path(scratch),
                shared=Path(scratch), manifest=_unwanted, artefact=_unwanted, attach=_unwanted,
                progress=lambda *done: None, root=root, processes=ALONE,
            )  # fmt: skip
            aligned = align(recipe.captioner.model_copy(update=changed), {}, context)
        assert aligned.right_class
        rates.append(aligned.right_class.value)
        print(f"seed {seed}, {precision}: {rates[-1]:.1%}, {aligned.seconds:.0f} s", flush=True)
    print(f"mean {sum(rates) / len(rates):.1%}, largest less smallest {max(rates) - min(rates):.1%}")


def _unwanted(*asked: object) -> Any:
    raise AssertionError(f"nothing here asks for {asked}")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or TRAININGS)
