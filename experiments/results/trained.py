"""The result of training a classifier from scratch and testing it."""

from experiments.results.classification import Classification


class TrainedClassifier(Classification):
    """A network trained on `training_images` labelled images for `epochs` passes.

    `loss` is the mean training loss of each epoch. `seconds` is the whole stage, `training_seconds`
    the training alone, in wall-clock time summed over resumed runs.
    """

    training_images: int
    training_seconds: float
    loss: tuple[float, ...]
