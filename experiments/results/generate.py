"""The captions of the evaluation photos before and after fine-tuning."""

from experiments.results.source import Source
from pipeline.frozen import Frozen
from pipeline.result import Attachment, Result


class CaptionedRecord(Frozen):
    """One evaluation photo with its captions before and after fine-tuning.

    `label` is its class, or None where the data set has no classes. A caption `ended` by itself, or was
    cut off at the limit. `picture` is a small PNG.
    """

    name: str
    index: int
    label: str | None
    references: tuple[str, ...]
    before: str
    after: str
    before_ended: bool
    after_ended: bool
    picture: Attachment


class Generated(Result):
    """The captions of every evaluation photo, in the data set's order.

    `source` are the sources of photos and captions, `classes` the data set's classes, `tuning_captions` the
    captions tuned on (what is new in a caption is new beside these), `max_new_tokens` the limit at which a
    caption is cut off. `seconds` is wall-clock time for all captions of both kinds.
    """

    source: tuple[Source, ...]
    classes: tuple[str, ...]
    tuning_captions: tuple[str, ...]
    records: tuple[CaptionedRecord, ...]
    max_new_tokens: int
    beams: int
    seconds: float

    def attachments(self) -> tuple[Attachment, ...]:
        """Return the files that stand beside the result."""
        return tuple(record.picture for record in self.records)

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        changed = sum(record.before != record.after for record in self.records)
        return {"captions changed": changed / len(self.records)}
