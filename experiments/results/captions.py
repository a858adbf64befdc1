"""The captions before and after fine-tuning, compared with the references and with each other."""

from typing import Literal

from pipeline.frozen import Frozen
from pipeline.result import Attachment, Estimate, Result

Family = Literal["agreement", "grounding", "style", "health"]
Better = Literal["higher", "lower", "neither"]
Unit = Literal["points", "share", "words", "count", "bits"]
"""Points run from 0 to 100 (CIDEr-D: to 10), shares from 0 to 1; words are a mean, a count is whole."""


class Measured(Frozen):
    """One measure of all captions before and after; their difference is tested in the stage `evidence`.

    `better` says which way is an improvement ("neither" for mere description). `references` is the value
    of the second reference of every photo, read as a caption, where each photo has two: its agreement with
    the first one, its style; None where there is no such figure.
    """

    key: str
    name: str
    family: Family
    unit: Unit
    better: Better
    before: Estimate
    after: Estimate
    references: float | None


class Judged(Frozen):
    """What is right and wrong with one caption.

    `score` is the chrF++ (β = 1) against the best reference, from 0 to 100. `right_class` and
    `wrong_class` are None where the photo has no class.
    """

    score: float
    right_class: bool | None
    wrong_class: bool | None
    right_colour: bool
    wrong_colour: bool
    cut_off: bool
    repeats: bool
    rambles: bool


class ComparedRecord(Frozen):
    """One evaluation photo: its reference captions, and its captions before and after, as judged."""

    name: str
    index: int
    label: str | None
    references: tuple[str, ...]
    before: str
    after: str
    judged_before: Judged
    judged_after: Judged
    picture: Attachment


class Comparison(Result):
    """The comparison of all evaluation photos.

    `examples` are positions in `records`: the photos whose change of score (after - before) stands at
    the shares `quantiles` of all changes in rising order, one each, the first of equals. `changed` counts the
    photos whose caption is another after tuning.
    """

    measures: tuple[Measured, ...]
    records: tuple[ComparedRecord, ...]
    examples: tuple[int, ...]
    quantiles: tuple[float, ...]
    changed: int
    resamples: int
    library: str

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {
            f"{measure.key} {when}": getattr(measure, when).value
            for measure in self.measures
            if measure.key in {"right_class", "cider_d"}
            for when in ("before", "after")
        }
