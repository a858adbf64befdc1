"""Stage `captions`: the captions before and after fine-tuning, measured and compared. It reads text only."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import Any

import numpy as np

from experiments.captioning.scoring import class_words, grounding, health
from experiments.captioning.scoring.language import (
    ENGLISH,
    expected_texts,
    is_english,
    spaced,
    tokeniser,
    unparted,
)
from experiments.captioning.scoring.measures import Kind, Side, estimated, kinds
from experiments.captioning.scoring.metrics import sentence_score
from experiments.config.comparison import CaptionsConfig
from experiments.context import Context
from experiments.results.caption import Caption
from experiments.results.captions import ComparedRecord, Comparison, Judged, Measured
from experiments.results.generate import CaptionedRecord, Generated
from experiments.statistics.paired import Measure
from pipeline.result import Estimate


def captions(config: CaptionsConfig, inputs: Mapping[str, Any], context: Context) -> Comparison:
    """Measure both captions of every evaluation photo against its references, and choose the examples."""
    generated: Generated = inputs["generate"]
    records, language = generated.records, config.language
    before, after = sides(generated, language)
    writer = _second_writer(generated, language)
    measured, all_kinds = [], kinds(generated, language)
    for number, kind in enumerate(all_kinds):
        random = np.random.default_rng((config.seed, number))
        estimate = partial(estimated, kind, n=len(records), resamples=config.resamples, random=random)
        measured.append(_measured(kind, before, after, writer, estimate))
        context.progress(number + 1, len(all_kinds), "")
    changes = [new.score - old.score for old, new in zip(before.judged, after.judged, strict=True)]
    chosen = examples(changes, config.example_quantiles)
    return Comparison(
        measures=tuple(measured),
        records=tuple(
            ComparedRecord(
                **record.model_dump(exclude={"before_ended", "after_ended"}),
                judged_before=old,
                judged_after=new,
            )
            for record, old, new in zip(records, before.judged, after.judged, strict=True)
        ),
        examples=tuple(chosen),
        quantiles=tuple(chosen.values()),
        changed=sum(old != new for old, new in zip(before.captions, after.captions, strict=True)),
        resamples=config.resamples,
        library=f"sacrebleu {metadata.version('sacrebleu')}"
        + (f", its tokeniser for {language}" if tokeniser(language) else ""),
    )


def examples(changes: Sequence[float], quantiles: Sequence[float]) -> dict[int, float]:
    """Return the positions of the changes that stand at these shares of all changes in rising order.

    Each comes with its share. Of equal changes the first comes first. Where there are fewer changes than
    quantiles, none is named twice: a change keeps the share that is nearest to its place.
    """
    order = sorted(range(len(changes)), key=lambda position: changes[position])
    last = max(len(order) - 1, 1)
    chosen: dict[int, float] = {}
    for share in quantiles:
        place = round(share * (len(order) - 1))
        nearest = min((share, chosen.get(order[place], share)), key=lambda each: abs(each - place / last))
        chosen[order[place]] = nearest
    return chosen


def sides(generated: Generated, language: str = ENGLISH) -> tuple[Side, Side]:
    """Judge the captions before and after fine-tuning, which are in `language`."""
    parted = spaced(generated, language)
    written = (
        [Caption(text=at.before, ended=at.before_ended) for at in parted.records],
        [Caption(text=at.after, ended=at.after_ended) for at in parted.records],
    )
    before, after = (_side(captions, parted, language) for captions in written)
    return before, after


def _side(written: Sequence[Caption], generated: Generated, language: str) -> Side:
    """Judge one caption for each record of `generated`, whose words are parted."""
    texts = expected_texts(generated)
    english, by_words = is_english(language, texts), not unparted(language, texts)
    return Side(
        captions=tuple(caption.text for caption in written),
        references=tuple(record.references for record in generated.records),
        judged=tuple(
            judge(caption, record, generated.classes, english=english, by_words=by_words)
            for caption, record in zip(written, generated.records, strict=True)
        ),
        ended=tuple(caption.ended for caption in written),
    )


def judge(
    caption: Caption,
    record: CaptionedRecord,
    classes: Sequence[str],
    *,
    english: bool = True,
    by_words: bool = True,
) -> Judged:
    """Judge one caption by itself; `classes` are all that it could name.

    What English words tell is told of English captions alone, and what words tell only if they can be parted.
    """
    text, label = caption.text, record.label if by_words else None
    return Judged(
        score=round(sentence_score(text, record.references, by_words=by_words), 2),
        right_class=None if label is None else class_words.names_class(text, label),
        wrong_class=None if label is None else class_words.misnames_class(text, label, classes),
        right_colour=english and grounding.right_colour(text, record.references),
        wrong_colour=english and grounding.wrong_colour(text, record.references),
        cut_off=health.cut_off(text, caption.ended, english=english),
        repeats=by_words and health.repeats(text, english=english),
        rambles=health.rambles(text),
    )


def _second_writer(generated: Generated, language: str) -> Side | None:
    """Return every photo's second reference as its caption, held against the first; None without a second."""
    parted = spaced(generated, language)
    if any(len(record.references) < 2 for record in parted.records):
        return None
    against_first = [
        record.model_copy(update={"references": record.references[:1]}) for record in parted.records
    ]
    written = [Caption(text=record.references[1], ended=True) for record in parted.records]
    return _side(written, parted.model_copy(update={"records": tuple(against_first)}), language)


def _measured(
    kind: Kind, before: Side, after: Side, writer: Side | None, estimate: Callable[[Measure], Estimate]
) -> Measured:
    references = None
    if writer and kind.written:
        references = float(kind.measure(writer)(np.arange(len(writer.captions))))
    return Measured(
        key=kind.key,
        name=kind.name,
        family=kind.family,
        unit=kind.unit,
        better=kind.better,
        before=estimate(kind.measure(before)),
        after=estimate(kind.measure(after)),
        references=references,
    )
