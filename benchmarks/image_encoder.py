"""How many images a second a profile's image encoder takes on a GPU, without reading and resizing them.

Run as ``python -m benchmarks.image_encoder PROFILE`` in the project's folder. Pixels lie on the GPU, the
network computes at the profile's precision, and features come back to the CPU. The fastest of the rounds
counts. On a CPU nothing is measured: there the network takes nearly all the time of the stage `zero_shot`.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from experiments import profile
from experiments.classification.pretrained import pretrained_tower
from experiments.classification.towers import preprocess
from experiments.config.zero_shot import OpenClipTower
from experiments.models.precision import best_device, chosen

ROUNDS = 10
BATCH = 250


def main(name: str) -> None:
    """Print precision and rate."""
    if best_device().type == "cpu":
        print("There is no GPU here: the rate of zero_shot is the image encoder's as well.")
        return
    options = profile.load(name, Path.cwd()).zero_shot
    if options is None or not isinstance(options.tower, OpenClipTower):
        raise SystemExit("This benchmark is of open_clip's models: name a profile with one.")
    tower, precision = pretrained_tower(options.tower, Path.cwd()), chosen(options.precision)
    shape = preprocess(tower, [np.zeros((32, 32, 3), dtype=np.uint8)]).shape[1:]
    pixels = torch.rand(BATCH, *shape).to(tower.device)
    tower.encode_image(pixels, precision)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        tower.encode_image(pixels, precision)
        times.append(time.perf_counter() - began)
    rate = BATCH / min(times)
    print(f"{tower.about.model} in {precision}, {BATCH} at once: {rate:,.0f} images/s")


if __name__ == "__main__":
    main(sys.argv[1])
