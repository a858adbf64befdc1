"""What every classifier leaves behind after seeing the test images."""

from typing import Literal

from pipeline.result import Estimate, Result

Precision = Literal["fp32", "bf16"]

CLASSIFIERS = ("zero_shot", "vit", "cnn")
"""The stages whose results are such, in the order of the pages."""


class Classification(Result):
    """One classifier on one test set of `n` images in `k` classes.

    `predictions` and `confidence` hold one entry per test image in test order: the class index and
    the softmax probability given to it. `confusion[t][p]` counts the images of true class `t` that
    were called `p`. `per_class` holds the accuracy (recall) of each class.
    """

    COSTS = frozenset({"seconds", "images_per_second", "training_seconds"})

    model: str
    classes: tuple[str, ...]
    labels_sha256: str
    top1: Estimate
    per_class: tuple[Estimate, ...]
    confusion: tuple[tuple[int, ...], ...]
    parameters: int
    epochs: int
    precision: Precision
    seconds: float
    images_per_second: float
    predictions: tuple[int, ...]
    confidence: tuple[float, ...]

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {"top1": self.top1.value}
