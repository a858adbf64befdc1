"""How many images a second a profile's image encoder takes, reading and resizing them apart.

Run as ``python -m benchmarks.image_encoder PROFILE`` in the project's folder. Pixels lie on the device in
batches, the network computes at the profile's precision, and features come back to the CPU. The fastest of
the rounds counts.
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
from experiments.models.feature_store import BATCH
from experiments.models.precision import chosen

ROUNDS = 10
SECONDS = 10
"""After which no other round begins."""


def main(name: str) -> None:
    """Print device, precision and rate."""
    options = profile.load(name, Path.cwd()).zero_shot
    if options is None or not isinstance(options.tower, OpenClipTower):
        raise SystemExit("This benchmark is of open_clip's models: name a profile with one.")
    tower, precision = pretrained_tower(options.tower, Path.cwd()), chosen(options.precision)
    shape = preprocess(tower, [np.zeros((32, 32, 3), dtype=np.uint8)]).shape[1:]
    pixels = torch.rand(BATCH, *shape).to(tower.device)
    tower.encode_image(pixels, precision)
    times, start = [], time.perf_counter()
    while len(times) < ROUNDS and (not times or time.perf_counter() - start < SECONDS):
        began = time.perf_counter()
        tower.encode_image(pixels, precision)
        times.append(time.perf_counter() - began)
    rate = BATCH / min(times)
    print(f"{tower.about.model} on {tower.device.type} in {precision}, {BATCH} at once: {rate:,.0f} images/s")


if __name__ == "__main__":
    main(sys.argv[1])
