"""The captioner before fine-tuning."""

from experiments.results.source import Source
from pipeline.result import Estimate, Result

CAPTIONER, NETWORK, MAPPER = "captioner.json", "network", "mapper.safetensors"
"""What the stage leaves: which captioner it is and, where its parts were aligned here, those parts."""


class Aligned(Result):
    """A captioner that writes generic captions, ready to be fine-tuned.

    `weights` are the sources of its parts (none of random ones), `training` says what was trained here to
    join them ("nothing" for a captioner that comes whole). `photos` is the number of labelled photos that
    this took, `steps` that of gradient steps, `loss` the mean loss of each tenth of them; all are empty for a
    whole captioner. `right_class` is the share of `right_class.n` held-out photos whose caption names the
    right class; `held_out_labels` and `held_out_captions` are theirs. `parameters` counts the whole
    captioner, `tuned_parameters` the part that fine-tuning may change. `seconds` is wall-clock time.
    """

    model: str
    weights: tuple[Source, ...]
    training: str
    photos: int
    steps: int
    loss: tuple[float, ...]
    right_class: Estimate
    held_out_labels: tuple[str, ...]
    held_out_captions: tuple[str, ...]
    parameters: int
    tuned_parameters: int
    seconds: float

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {"right class": self.right_class.value}

    def artefacts(self) -> tuple[str, ...]:
        """Return the names of the captioner's files."""
        return (CAPTIONER, NETWORK, MAPPER) if self.photos else (CAPTIONER,)
