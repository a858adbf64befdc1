"""The profile section of the captioner that is fine-tuned."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiments.config.fields import (
    Count,
    Place,
    Positive,
    PrecisionChoice,
    Rate,
    Seed,
    Text,
    Weight,
    resolve_path,
)
from pipeline.frozen import Frozen

Fraction = Annotated[float, Field(ge=0, lt=1)]


class CaptionerConfig(Frozen):
    """What captioners have in common.

    `seed` decides everything random. Networks compute at `precision`; "auto" is bf16 where instructions make
    it faster, else fp32. `held_out` photos of the classification test set measure whether captions name the
    right class; none do where that is 0.
    """

    seed: Seed
    precision: PrecisionChoice
    held_out: Count = 0

    def without_images(self) -> str | None:
        """Say in a phrase why a profile without labelled images cannot have it, None if it can."""
        if not self.held_out:
            return None
        return f"captioner.held_out is {self.held_out}, but there are no [images]: add them, or leave it out"


class Saying(Frozen):
    """Training of the mapper, to turn a photo into its class's word as the language model embeds it.

    Of the features the share `dropout` is left out at random. How near each vector comes to the word's counts
    `nearness` times as much as that the vectors of classes differ.
    """

    epochs: Positive
    batch_size: Positive
    learning_rate: Rate
    label_smoothing: Fraction
    dropout: Fraction
    nearness: Weight


class Reading(Frozen):
    """Training of the language model on generic captions of `photos` that the mapper has not learnt from.

    A photo's caption is one of `templates`, each with one ``{}`` for the class that the mapper says. The
    class word counts `class_weight` times as much in the loss as another token. Of the way from the
    published language model to the trained one, the share `interpolation` is gone.
    """

    photos: Positive
    steps: Positive
    batch_size: Positive
    learning_rate: Rate
    class_weight: Rate
    interpolation: Annotated[float, Field(gt=0, le=1)]
    templates: Annotated[tuple[Text, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_gap_each(self) -> Self:
        for template in self.templates:
            if template.count("{}") != 1:
                raise ValueError(f"a template must contain exactly one {{}}, unlike {template!r}")
        return self


class PrefixCaptionerConfig(CaptionerConfig):
    """EfficientNet-Lite0 and SmolLM2-135M, joined by a mapper that is trained here.

    Photos are seen at `image_size` pixels square. Of `photos` labelled training photos the mapper learns to
    say what it sees, and of some others the language model to read it.
    """

    kind: Literal["prefix"]
    image_size: Annotated[int, Field(ge=64, le=512)]
    photos: Positive
    saying: Saying
    reading: Reading

    def without_images(self) -> str:
        """Say that its parts are aligned on them."""
        return (
            "a captioner of the kind prefix is aligned on labelled [images]: add them, or take another kind, "
            "such as vision_encoder_decoder"
        )


class EncoderDecoderConfig(CaptionerConfig):
    """Any VisionEncoderDecoder of transformers: a hub's name at a pinned `revision`, or a local folder.

    Without a revision, `model` is a folder, a path from the project's folder. A revision is a commit or,
    where a branch is meant, which may move, ``refs/heads/NAME``.
    """

    kind: Literal["vision_encoder_decoder"]
    model: Place
    revision: Text | None = None

    @property
    def local(self) -> Path | None:
        """The folder on this machine that is named, there or not, or None where a hub's repository is."""
        return resolve_path(Path(), self.model) if self.revision is None else None

    @model_validator(mode="after")
    def _a_folder_has_no_revision(self) -> Self:
        if self.revision is not None and self.model.startswith(("/", ".", "~")):
            raise ValueError("a folder on this machine has no revision: leave it out")
        return self


class RandomCaptionerConfig(CaptionerConfig):
    """A tiny VisionEncoderDecoder with random weights: it knows nothing, in a second."""

    kind: Literal["random"]


AnyCaptionerConfig = Annotated[
    PrefixCaptionerConfig | EncoderDecoderConfig | RandomCaptionerConfig, Field(discriminator="kind")
]
