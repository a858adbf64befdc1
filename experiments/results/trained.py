"""The result of training a classifier from scratch and testing it."""

from experiments.results.classification import Classification
from pipeline.result import Estimate


class TrainedClassifier(Classification):
    """A network trained on `training_images` labelled images for `epochs` passes.

    `loss` is the mean training loss of each epoch, `validation` the accuracy on the validation images after
    each, empty where none are kept. `seconds` is the whole stage, `training_seconds` the training alone,
    without validating, in wall-clock time summed over resumed runs.
    """

    training_images: int
    training_seconds: float
    loss: tuple[float, ...]
    validation: tuple[Estimate, ...]
