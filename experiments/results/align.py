"""The captioner before fine-tuning."""

from experiments.results.classification import Precision
from experiments.results.source import Source
from pipeline.result import Estimate, Result

CAPTIONER, NETWORK, MAPPER = "captioner.json", "network", "mapper.safetensors"
"""What the stage leaves: which captioner it is and, where its parts were aligned here, those parts."""


class Aligned(Result):
    """A captioner that writes generic captions, ready to be fine-tuned.

    `weights` are the sources of its parts (none of random ones); `precision` is what it computes at, here and
    wherever it is used. `training` says what was trained here to join its parts ("nothing" for a captioner
    that comes whole). `photos` is the number of labelled photos that this took, `steps` that of gradient
    steps, `loss` the mean loss of each tenth of them; all are empty for a whole captioner. `right_class` is
    the share of `right_class.n` held-out photos whose caption names the right class (None without held-out
    photos); `held_out_labels` and `held_out_captions` are theirs. `parameters` counts the whole captioner,
    `tuned_parameters` the part that fine-tuning may change. `seconds` is wall-clock time.
    """

    COSTS = frozenset({"seconds"})

    model: str
    weights: tuple[Source, ...]
    precision: Precision
    training: str
    photos: int
    steps: int
    loss: tuple[float, ...]
    right_class: Estimate | None
    held_out_labels: tuple[str, ...]
    held_out_captions: tuple[str, ...]
    parameters: int
    tuned_parameters: int
    seconds: float

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {} if self.right_class is None else {"right class": self.right_class.value}

    def artefacts(self) -> tuple[str, ...]:
        """Return the names of the captioner's files."""
        return (CAPTIONER, NETWORK, MAPPER) if self.photos else (CAPTIONER,)
