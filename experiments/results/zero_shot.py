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


class ZeroShot(Classification):
    """Zero-shot classification with a dual encoder.

    The fields inherited from `Classification` describe the first prompt set; `prompt_sets` holds the
    accuracy of each, in the profile's order. `without_centring` is the first prompt set's accuracy
    when the image tower uses no statistics of unlabelled images, or None where it never does.
    `weights` are the sources of its parts (none of random ones), `is_clip` says whether the model may be
    called CLIP (OpenAI- or LAION-style contrastive weights), `seen_labels` what labels its towers saw.
    """

    weights: tuple[Source, ...]
    is_clip: bool
    seen_labels: str
    prompt_sets: tuple[PromptSet, ...]
    without_centring: Estimate | None

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        figures = {f"top1 ({prompts.name})": prompts.top1.value for prompts in self.prompt_sets}
        if self.without_centring is not None:
            figures["top1 (without centring)"] = self.without_centring.value
        return figures
