"""Known failures of such projects, looked for in the results of the run."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from experiments.audit.run import Run, if_there, there
from experiments.results import key_of
from experiments.results.audit import Check
from experiments.results.captions import ComparedRecord
from experiments.results.classification import Classification


def checks(run: Run) -> dict[str, Check]:
    """Return every check by its id, in the order of the page, as far as the results for it are there.

    What a stage refuses to go on with is no check here, since no run that has results can have it: targets of
    the adapter that match no layer, classifiers that were tested on other labels than the data set's.
    """
    looks = (_images, _photos, _tuning, _adapters, _captions, _examples, _at_chance, _accuracies)
    found = [check for look in looks for check in if_there(look, run) or ()]
    return {check.id: check for check in found}


def _check(
    name: str,
    count: int,
    of: int,
    *stages: str,
    severity: Literal["error", "warning"] = "error",
    allowed: int = 0,
    where: Iterable[str] | None = None,
) -> Check:
    """Return a check that is passed by at most `allowed` cases; `where` is all of `stages` if not said."""
    passed = count <= allowed
    places = () if passed else stages if where is None else tuple(where)
    return Check(id=name, count=count, of=of, passed=passed, stages=stages, where=places, severity=severity)


def _images(run: Run) -> list[Check]:
    data = run.data_sets
    there(data.images)
    return [_check("shared_images", data.shared_images, data.test_images, "data_sets")]


def _photos(run: Run) -> list[Check]:
    data = run.data_sets
    there(data.photos)
    tuning, evaluation = len(data.tuning_names), len(data.evaluation_names)
    repeats = data.repeated_tuning_photos + data.repeated_evaluation_photos
    shared, captions = data.shared_references, data.evaluation_captions
    return [
        _check("shared_photos", data.shared_photos, evaluation, "data_sets"),
        _check("repeated_photos", repeats, tuning + evaluation, "data_sets"),
        _check("shared_references", shared, captions, "data_sets", severity="warning"),
    ]


def _tuning(run: Run) -> list[Check]:
    records = there(run.generate).records
    unchanged = sum(record.before == record.after for record in records)
    return [_check("unchanged_captions", unchanged, len(records), "generate", allowed=len(records) - 1)]


def _adapters(run: Run) -> list[Check]:
    off = [variant.off_is_base for variant in there(run.variants).variants if variant.off_is_base is not None]
    return [_check("adapter_off", off.count(False), len(off), "variants")]


def _captions(run: Run) -> list[Check]:
    records = there(run.generate).records
    all_of_them = len(records)
    alike = max(Counter(record.after.strip() for record in records).values())
    written = [text for record in records for text in (record.before, record.after)]
    empty = sum(not text.strip() for text in written)
    cut_off = sum(not record.after_ended for record in records)
    return [
        _check("empty_captions", empty, len(written), "generate"),
        _check("same_captions", alike, all_of_them, "generate", allowed=all_of_them - 1),
        _check("cut_off", cut_off, all_of_them, "generate", severity="warning"),
    ]


def _examples(run: Run) -> list[Check]:
    captions = there(run.captions)
    examples = [captions.records[position] for position in captions.examples]
    return [_check("repeated_examples", _repeated(examples), len(examples), "captions")]


def _repeated(examples: list[ComparedRecord]) -> int:
    """Count the examples that show an earlier one's photo, or its very texts, again."""
    names, pictures, texts = set[str](), set[str](), set[tuple[str, ...]]()
    again = 0
    for record in examples:
        own = (*record.references, record.before, record.after)
        again += record.name in names or record.picture.sha256 in pictures or own in texts
        names.add(record.name)
        pictures.add(record.picture.sha256)
        texts.add(own)
    return again


def _at_chance(run: Run) -> list[Check]:
    evidence = there(run.evidence)
    tested = [stage for stage in run.classifiers if key_of.chance(stage) in evidence.tests]
    if not tested:
        return []
    broken = evidence.broken
    too_few = bool(broken) and all(evidence.too_few_images(stage) for stage in broken)
    severity = "warning" if too_few else "error"
    return [_check("at_chance", len(broken), len(tested), *tested, where=broken, severity=severity)]


def _accuracies(run: Run) -> list[Check]:
    results = run.classifiers
    if not results:
        return []
    other = [stage for stage in results if not _follows(results[stage], run.data_sets.labels)]
    return [_check("other_accuracy", len(other), len(results), *results, where=other)]


def _follows(result: Classification, labels: tuple[int, ...]) -> bool:
    """Tell whether an accuracy is what its predictions give against the labels of the data set."""
    if len(result.predictions) != len(labels):
        return False
    right = sum(one == other for one, other in zip(result.predictions, labels, strict=True))
    return (result.top1.value, result.top1.n) == (right / len(labels), len(labels))
