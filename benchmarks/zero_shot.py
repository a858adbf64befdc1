"""The images of zero-shot classification beside the plain loop of CLIP's evaluators, at full size."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.assignment_inputs import TOWER, save_tower
from benchmarks.pairs import duration
from benchmarks.table import Found, Spread
from experiments import profile
from experiments.classification.pretrained import pretrained_tower
from experiments.classification.towers import DualEncoder, preprocess
from experiments.config.zero_shot import LOCAL_FOLDER, OpenClipTower
from experiments.datasets.cifar10 import load
from experiments.datasets.pictures import Pictures
from experiments.models.feature_store import BATCH
from experiments.project import open_project
from experiments.results.classification import Precision

IMAGES = 1_000
ROUNDS = 3


class _Prepared(Dataset[Any]):
    """Pictures as open_clip's transforms make them, one at a time."""

    def __init__(self, pictures: Pictures, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.pictures, self.transform = pictures, transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, position: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.pictures[position]))


def fp32() -> Found:
    """Compare this project's features of 1,000 test images in fp32 with the plain loop's."""
    return _compared("fp32")


def bf16() -> Found:
    """Compare the same in bf16 with the plain loop, which computes in fp32."""
    return _compared("bf16")


def _compared(precision: Precision) -> Found:
    project = open_project(profile.DEFAULT)
    config: Any = project.profile.images
    pictures = load(config, project.downloads, print).test_pictures
    some = Pictures(pictures.read, IMAGES)
    with tempfile.TemporaryDirectory() as place:
        save_tower(Path(place))
        tower = pretrained_tower(
            OpenClipTower(kind="open_clip", model=f"{LOCAL_FOLDER}{place}"), project.root
        )
        found: dict[str, torch.Tensor] = {}

        def ours() -> None:
            found["ours"] = torch.cat(
                [
                    tower.project(tower.encode_image(preprocess(tower, batch), precision))
                    for batch in _batches(some)
                ]
            )

        def theirs() -> None:
            found["theirs"] = _plain(tower, some)

        times = [(duration(ours), duration(theirs)) for _ in range(ROUNDS)]
    likeness = functional.cosine_similarity(found["ours"], found["theirs"]).mean().item()
    return Found(
        ours=Spread.of([pair[0] for pair in times]),
        theirs=Spread.of([pair[1] for pair in times]),
        unit="s",
        remark=f"{TOWER} with random weights, {IMAGES:,} images, {precision} against fp32; "
        f"mean cosine of the features {likeness:.4f}",
    )


def _batches(pictures: Pictures) -> Any:
    return (
        [pictures[position] for position in range(first, min(first + BATCH, len(pictures)))]
        for first in range(0, len(pictures), BATCH)
    )


@torch.no_grad()
def _plain(tower: DualEncoder, pictures: Pictures) -> torch.Tensor:
    """Encode as CLIP_benchmark's evaluator does on a CPU: batches of 64 by a `DataLoader`, in fp32."""
    clip: Any = tower.clip
    loader = DataLoader(_Prepared(pictures, tower.preprocess), batch_size=64, num_workers=2)
    return torch.cat([functional.normalize(clip.encode_image(pixels), dim=-1) for pixels in loader])
