"""What the trained classifiers' sections of a profile have in common."""

from typing import Annotated

from pydantic import Field

from experiments.frozen import Frozen
from experiments.sections.fields import Positive, PrecisionChoice


class TrainingSection(Frozen):
    """How to train: epochs, batch size (images), peak learning rate, and the regularisers.

    Forward passes compute at `precision`; "auto" is bf16 on a machine that has instructions for it, else
    fp32. Each training image is shifted by up to `translate` pixels along both axes, afresh in each epoch.
    """

    seed: Annotated[int, Field(ge=0)]
    precision: PrecisionChoice
    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    translate: Annotated[int, Field(ge=0)]
