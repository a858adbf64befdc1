"""The result of classifying images by the text that describes their classes."""

from experiments.results.classification import Classification
from experiments.results.source import Source
from pipeline.frozen import Frozen
from pipeline.result import Estimate


class PromptSet(Frozen):
    """The accuracy that one set of prompt templates reaches, and its prediction for each test image."""

    name: str
    templates: tuple[str, ...]
    top1: Estimate
    predictions: tuple[int, ...]


class LessAdapted(Frozen):
    """How a tower does that uses less of the data set's unlabelled images than the one that is reported.

    `adaptation` says how it uses them; `top1` and `validation` hold its accuracies on the test and the
    validation images, one for each prompt set, the latter none where no images are kept for validation.
    """

    adaptation: str
    top1: tuple[Estimate, ...]
    validation: tuple[Estimate, ...]


class ZeroShot(Classification):
    """Zero-shot classification with a dual encoder.

    The fields inherited from `Classification` describe the first prompt set; `prompt_sets` holds the
    accuracy of each on the test images, in the profile's order, and `validation` on the validation images,
    none where there are none. `weights` are the sources of its parts (none of random ones), `is_clip` says
    whether the model may be called CLIP (OpenAI- or LAION-style contrastive weights), `seen_labels` what
    labels its towers saw.
    `adaptation` says how it uses the `unlabelled_images` training images that it is given; `less_adapted`
    are the same towers with less use of them, the one that uses most first.
    """

    weights: tuple[Source, ...]
    is_clip: bool
    seen_labels: str
    adaptation: str
    unlabelled_images: int
    prompt_sets: tuple[PromptSet, ...]
    validation: tuple[Estimate, ...]
    less_adapted: tuple[LessAdapted, ...]

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        figures = {f"top1 ({prompts.name})": prompts.top1.value for prompts in self.prompt_sets}
        for tower in self.less_adapted:
            for prompts, top1 in zip(self.prompt_sets, tower.top1, strict=True):
                figures[f"top1 ({prompts.name}, {tower.adaptation})"] = top1.value
        return figures
