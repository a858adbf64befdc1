"""Known failures of such projects, looked for in the results of the run."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from experiments.audit.run import Run
from experiments.results.audit import Check
from experiments.results.captions import ComparedRecord
from experiments.results.classification import Classification


def checks(run: Run) -> dict[str, Check]:
    """Return every check by its id, in the order of the page."""
    found = [*_data(run), *_tuning(run), *_captions(run), *_classifiers(run)]
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


def _data(run: Run) -> list[Check]:
    data = run.data_sets
    tuning, evaluation = len(data.tuning_names), len(data.evaluation_names)
    repeats = data.repeated_tuning_photos + data.repeated_evaluation_photos
    shared, captions = data.shared_references, data.evaluation_captions
    return [
        _check("shared_images", data.shared_images, data.test_images, "data_sets"),
        _check("shared_photos", data.shared_photos, evaluation, "data_sets"),
        _check("repeated_photos", repeats, tuning + evaluation, "data_sets"),
        _check("shared_references", shared, captions, "data_sets", severity="warning"),
    ]


def _tuning(run: Run) -> list[Check]:
    records, targets = run.generate.records, len(run.lora.targets)
    adapters = [variant for variant in run.variants.variants if variant.off_is_base is not None]
    # Each target that matches something matches one module at least.
    unmatched = max(0, targets - run.lora.matched)
    unchanged = sum(record.before == record.after for record in records)
    changed_off = sum(not variant.off_is_base for variant in adapters)
    if not run.ablations.off_is_base:
        changed_off = max(changed_off, 1)
    return [
        _check("unmatched_targets", unmatched, targets, "lora"),
        _check("unchanged_captions", unchanged, len(records), "generate", allowed=len(records) - 1),
        _check("adapter_off", changed_off, max(len(adapters), changed_off), "variants", "ablations"),
    ]


def _captions(run: Run) -> list[Check]:
    records, all_of_them = run.generate.records, len(run.generate.records)
    alike = max(Counter(record.after.strip() for record in records).values())
    written = [text for record in records for text in (record.before, record.after)]
    empty = sum(not text.strip() for text in written)
    cut_off = sum(not record.after_ended for record in records)
    examples = [run.captions.records[position] for position in run.captions.examples]
    return [
        _check("empty_captions", empty, len(written), "generate"),
        _check("same_captions", alike, all_of_them, "generate", allowed=all_of_them - 1),
        _check("cut_off", cut_off, all_of_them, "generate", severity="warning"),
        _check("repeated_examples", _repeated(examples), len(examples), "captions"),
    ]


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


def _classifiers(run: Run) -> list[Check]:
    data, results = run.data_sets, run.classifiers
    broken = run.evidence.broken
    too_few = bool(broken) and all(run.evidence.too_few_images(stage) for stage in broken)
    other_labels = [stage for stage in results if results[stage].labels_sha256 != data.labels_sha256]
    other_accuracy = [stage for stage in results if not _follows(results[stage], data.labels)]
    return [
        _check(
            "at_chance",
            len(broken),
            len(results),
            *results,
            where=broken,
            severity="warning" if too_few else "error",
        ),
        _check("other_labels", len(other_labels), len(results), *results, where=other_labels),
        _check("other_accuracy", len(other_accuracy), len(results), *results, where=other_accuracy),
    ]


def _follows(result: Classification, labels: tuple[int, ...]) -> bool:
    """Tell whether an accuracy is what its predictions give against the labels of the data set."""
    if len(result.predictions) != len(labels):
        return False
    right = sum(one == other for one, other in zip(result.predictions, labels, strict=True))
    return (result.top1.value, result.top1.n) == (right / len(labels), len(labels))
