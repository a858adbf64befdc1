"""The profile's section on zero-shot classification."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiments.frozen import Frozen
from experiments.results.classification import Precision

Text = Annotated[str, Field(min_length=1)]


class OpenClipTower(Frozen):
    """A pretrained dual encoder that open_clip can build.

    `model` is one of open_clip's names, or ``hf-hub:…`` or ``local-dir:…``. `pretrained` is one of its
    tags or the path of a local checkpoint; the prefixed forms bring their own weights and have none.
    """

    kind: Literal["open_clip"]
    model: Text
    pretrained: Text | None = None

    @property
    def local(self) -> Path | None:
        """The checkpoint or folder on this machine that is named, or None where a hub's is."""
        if self.model.startswith("local-dir:"):
            return Path(self.model.removeprefix("local-dir:")).expanduser()
        named = self.pretrained or ""
        is_path = "/" in named or named.endswith((".safetensors", ".pt", ".pth", ".bin"))
        return Path(named).expanduser() if is_path else None

    @model_validator(mode="after")
    def _local_weights_exist(self) -> Self:
        if self.local is not None and not self.local.exists():
            raise ValueError(f"there is nothing at {self.local}")
        return self

    @model_validator(mode="after")
    def _weights_are_named_once(self) -> Self:
        if self.model.startswith(("hf-hub:", "local-dir:")) == (self.pretrained is not None):
            raise ValueError(
                "pretrained must name a built-in model's weights, and be left out for hf-hub: and local-dir:"
            )
        return self


class ImagenetBridge(Frozen):
    """An ImageNet classifier and a sentence encoder, joined in closed form.

    `image_size` is the input's side in pixels; `unlabelled_images` training images, drawn with `seed`,
    give the statistics by which the classifier's logits are centred.
    """

    kind: Literal["imagenet_bridge"]
    image_size: Annotated[int, Field(ge=32, le=512)]
    unlabelled_images: Annotated[int, Field(ge=1)]
    seed: int


class RandomTower(Frozen):
    """A tiny dual encoder with random weights: it knows nothing, in a second."""

    kind: Literal["random"]
    seed: int


class Prompts(Frozen):
    """Named templates; each holds one ``{}`` where the class name goes."""

    name: Text
    templates: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_gap_each(self) -> Self:
        for template in self.templates:
            if template.count("{}") != 1 or template.count("{") != 1 or template.count("}") != 1:
                raise ValueError(
                    f"a template must contain exactly one {{}} and no other brace, unlike {template!r}"
                )
        return self


class ZeroShotSection(Frozen):
    """What to classify with, at which precision; the first prompt set is the headline."""

    precision: Precision
    tower: Annotated[OpenClipTower | ImagenetBridge | RandomTower, Field(discriminator="kind")]
    prompt_sets: Annotated[tuple[Prompts, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        names = [prompts.name for prompts in self.prompt_sets]
        if len(set(names)) < len(names):
            raise ValueError(f"the prompt sets' names must differ, unlike {', '.join(names)}")
        return self
