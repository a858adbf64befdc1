"""How little memory grows with the number of images: folders of 10,000, 50,000 and 200,000 of them.

Run as ``python -m benchmarks.memory``. For each size a folder of tiny pictures in two classes is drawn, and a
process of its own goes through what every run does with images: the manifest, preparation, features of a
dual encoder, zero-shot classification, an epoch of a network, and its predictions. Printed is the largest
memory of the process that is its own (anonymous: files that are mapped from disk are the system's to take
back), what of it grows with each image, and the size of the same images and features held in memory.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZES = (10_000, 50_000, 200_000)
SIDE = 16
FEATURES = 32
"""Numbers that the small encoder makes of an image, in 32 bits each."""


def main() -> None:
    """Draw the folders, measure each size, and print a line for each and the growth between them."""
    with tempfile.TemporaryDirectory() as place:
        drawn, peaks = 0, []
        for size in SIZES:
            draw(Path(place) / "images", drawn, size)
            drawn = size
            command = [sys.executable, "-m", "benchmarks.memory", place]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            peaks.append(int(done.stdout.split()[-1]))
            held = size * (SIDE * SIDE * 3 + 4 * FEATURES)
            print(f"{size:>7,} images: {peaks[-1] / 1e6:,.0f} MB (images and features: {held / 1e6:,.0f} MB)")
    growth = (peaks[-1] - peaks[0]) / (SIZES[-1] - SIZES[0])
    each = SIDE * SIDE * 3 + 4 * FEATURES
    print(f"growth: {growth:,.0f} bytes an image, {growth / each:.2f} times an image with its features")


def draw(folder: Path, first: int, last: int) -> None:
    """Write pictures of noise, half of each class."""
    random = np.random.default_rng(first)
    for number in range(first, last):
        path = folder / ("dark" if number % 2 else "light") / f"{number:06}.ppm"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 128, (SIDE, SIDE, 3), dtype=np.uint8) + np.uint8(127 * (number % 2 == 0))
        Image.fromarray(pixels).save(path)


def measured(place: Path) -> int:
    """Return the peak of the process's own memory, in bytes, over all that is done with the images."""
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], own_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        everything(place)
    finally:
        done.set()
        watcher.join()
    return peak[0]


def own_memory() -> int:
    """Return the anonymous resident memory of this process in bytes (proc(5), RssAnon)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


def everything(place: Path) -> None:
    """Go through a profile's work on its classification images."""
    from experiments.classification.cnn import cnn
    from experiments.classification.zero_shot import zero_shot
    from experiments.config.images import ImageFolder
    from experiments.config.training import CnnConfig
    from experiments.config.zero_shot import Prompts, RandomTower, ZeroShotConfig
    from experiments.context import Context
    from experiments.datasets.image_folder import files_of, load_image_folder
    from experiments.models.precision import chosen
    from experiments.models.processes import ALONE
    from pipeline import manifest

    config = ImageFolder(kind="folder", folder="images", size=SIDE, test_share=0.5, seed=0)
    found = files_of(config, place)
    assert found is not None
    files = manifest.Files(found[0], tuple(found[1]))
    print("manifest", manifest.digest(manifest.lines(files, place / "memory")))
    del files
    ready = place / f"ready-{time.time_ns()}"

    def images():
        return load_image_folder(config, place, ready, print)

    def unwanted(*asked: object) -> Any:
        raise AssertionError(f"nothing here asks for {asked}")

    context = Context(
        images=images, photos=unwanted, fetch=unwanted, manifest=unwanted, code_of=str, precision=chosen,
        scratch=place / "scratch", shared=place / "shared", artefact=unwanted, attach=unwanted,
        progress=lambda *done: None, root=place, processes=ALONE,
    )  # fmt: skip
    (place / "scratch").mkdir(exist_ok=True)
    (place / "scratch" / "checkpoint.pt").unlink(missing_ok=True)
    prompts = Prompts(name="single", templates=("a {} photo",))
    tower = RandomTower(kind="random", seed=0)
    found = zero_shot(ZeroShotConfig(precision="fp32", tower=tower, prompt_sets=(prompts,)), {}, context)
    print("zero-shot", found.top1.value, found.top1.n)
    trained = cnn(
        CnnConfig(
            seed=0, precision="fp32", epochs=1, batch_size=500, learning_rate=0.1, weight_decay=0.0,
            label_smoothing=0.0, translate=1, widths=(8, 8),
        ),
        {},
        context,
    )  # fmt: skip
    print("cnn", trained.top1.value, trained.top1.n)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measured(Path(sys.argv[1])))
    else:
        main()
