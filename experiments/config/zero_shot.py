"""The profile's section on zero-shot classification."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiments.config.fields import Place, PrecisionChoice, Seed, Text, resolve_path
from pipeline.frozen import Frozen

HUB, LOCAL_FOLDER = "hf-hub:", "local-dir:"
CHECKPOINT_ENDINGS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")


class OpenClipTower(Frozen):
    """A pretrained dual encoder that open_clip can build.

    `model` is one of open_clip's names, or ``hf-hub:…`` or ``local-dir:…``, which bring their own weights.
    `pretrained` is a tag, which names published weights, or the path of a checkpoint of your own. `file` is a
    copy on this machine of the weights that the tag names. The activation function is the one that the tag
    declares, of a checkpoint of your own the one that belongs to `model`: choose between ``ViT-B-32`` and
    ``ViT-B-32-quickgelu``. Paths start at the project's folder.
    """

    kind: Literal["open_clip"]
    model: Place
    pretrained: Place | None = None
    file: Place | None = None

    @property
    def own(self) -> str | None:
        """The path of a checkpoint or folder of the user's own, or None where weights are published."""
        if self.model.startswith(LOCAL_FOLDER):
            return self.model.removeprefix(LOCAL_FOLDER)
        named = self.pretrained or ""
        return named if "/" in named or named.endswith(CHECKPOINT_ENDINGS) else None

    @property
    def local(self) -> Path | None:
        """The checkpoint or folder on this machine that is named, there or not; None if none is."""
        named = self.file or self.own
        return None if named is None else resolve_path(Path(), named)

    @model_validator(mode="after")
    def _weights_are_named_once(self) -> Self:
        if self.model.startswith((HUB, LOCAL_FOLDER)) == (self.pretrained is not None):
            raise ValueError(
                "pretrained must name a built-in model's weights, and be left out for hf-hub: and local-dir:"
            )
        if self.file is not None and (self.pretrained is None or self.own is not None):
            raise ValueError(
                "file is a copy of published weights, whose tag pretrained must name; a checkpoint of your "
                "own is named by pretrained alone"
            )
        return self


class ImagenetBridge(Frozen):
    """An ImageNet classifier and a sentence encoder, joined in closed form.

    `image_size` is the input's side in pixels; to `unlabelled_images` training images, drawn with `seed`,
    the joined model adapts, without their labels.
    """

    kind: Literal["imagenet_bridge"]
    image_size: Annotated[int, Field(ge=32, le=512)]
    unlabelled_images: Annotated[
        int, Field(ge=11, le=1_000_000)
    ]  # each learns from its ten nearest neighbours
    seed: Seed


class RandomTower(Frozen):
    """A tiny dual encoder with random weights: it knows nothing, in a second."""

    kind: Literal["random"]
    seed: Seed


class Prompts(Frozen):
    """Named templates; each holds one ``{}`` where the class name goes."""

    name: Text
    templates: Annotated[tuple[Text, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_gap_each(self) -> Self:
        for template in self.templates:
            if template.count("{}") != 1 or template.count("{") != 1 or template.count("}") != 1:
                raise ValueError(
                    f"a template must contain exactly one {{}} and no other brace, unlike {template!r}"
                )
        return self


class ZeroShotConfig(Frozen):
    """What to classify with, at which precision; the first prompt set is the headline.

    A precision "auto" is bf16 where instructions make it faster, else fp32.
    """

    precision: PrecisionChoice
    tower: Annotated[OpenClipTower | ImagenetBridge | RandomTower, Field(discriminator="kind")]
    prompt_sets: Annotated[tuple[Prompts, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [prompts.name for prompts in self.prompt_sets]
        if len(set(names)) < len(names):
            raise ValueError(f"the prompt sets' names must differ, unlike {', '.join(names)}")
        return self
