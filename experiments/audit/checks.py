"""Known failures of such projects, looked for in the results of the run."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from experiments.audit.run import Run
from experiments.results.audit import Check
from experiments.results.captions import ComparedRecord
from experiments.results.classification import Classification

_CLASSIFIERS = ("zero_shot", "vit", "cnn")


def checks(run: Run) -> dict[str, Check]:
    """Return every check by its id, in the order of the page."""
    found = [*_data(run), *_tuning(run), *_captions(run), *_classifiers(run)]
    return {check.id: check for check in found}


def _check(
    name: str,
    count: int,
    of: int,
    stages: tuple[str, ...],
    *,
    severity: Literal["error", "warning"] = "error",
    allowed: int = 0,
    where: Iterable[str] | None = None,
) -> Check:
    """Return a check that is passed by at most `allowed` cases; `where` is all of `stages` if not said."""
    passed = count <= allowed
    places = stages if where is None else tuple(where)
    return Check(
        id=name,
        count=count,
        of=of,
        passed=passed,
        stages=stages,
        where=() if passed else places,
        severity=severity,
    )


def _data(run: Run) -> list[Check]:
    data = run.data_sets
    tuning, evaluation = len(data.tuning_names), len(data.evaluation_names)
    repeats = data.repeated_tuning_photos + data.repeated_evaluation_photos
    own = ("data_sets",)
    return [
        _check("shared_images", data.shared_images, data.test_images, own),
        _check("shared_photos", data.shared_photos, evaluation, own),
        _check("repeated_photos", repeats, tuning + evaluation, own),
        _check(
            "shared_references", data.shared_references, data.evaluation_captions, own, severity="warning"
        ),
    ]


def _tuning(run: Run) -> list[Check]:
    records = run.generate.records
    adapters = [variant for variant in run.variants.variants if variant.off_is_base is not None]
    unchanged = sum(record.before == record.after for record in records)
    changed_off = sum(not variant.off_is_base for variant in adapters)
    if not run.ablations.off_is_base:
        changed_off = max(changed_off, 1)
    return [
        # Each target that matches something matches one module at least.
        _check(
            "unmatched_targets",
            max(0, len(run.lora.targets) - run.lora.matched),
            len(run.lora.targets),
            ("lora",),
        ),
        _check("unchanged_captions", unchanged, len(records), ("generate",), allowed=len(records) - 1),
        _check("adapter_off", changed_off, max(len(adapters), changed_off), ("variants", "ablations")),
    ]


def _captions(run: Run) -> list[Check]:
    records = run.generate.records
    after = Counter(record.after.strip() for record in records)
    written = [text for record in records for text in (record.before, record.after)]
    examples = [run.captions.records[position] for position in run.captions.examples]
    own = ("generate",)
    return [
        _check("empty_captions", sum(not text.strip() for text in written), len(written), own),
        _check("same_captions", max(after.values()), len(records), own, allowed=len(records) - 1),
        _check(
            "cut_off",
            sum(not record.after_ended for record in records),
            len(records),
            own,
            severity="warning",
        ),
        _check("repeated_examples", _repeated(examples), len(examples), ("captions",)),
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
    labels, results = run.data_sets.labels_sha256, run.classifiers
    failing = {
        "at_chance": run.evidence.broken,
        "other_labels": [stage for stage in _CLASSIFIERS if results[stage].labels_sha256 != labels],
        "other_accuracy": [
            stage for stage in _CLASSIFIERS if not _follows(results[stage], run.data_sets.labels)
        ],
    }
    too_few = all(run.evidence.too_few_images(stage) for stage in run.evidence.broken)
    return [
        _check(
            name,
            len(stages),
            len(_CLASSIFIERS),
            _CLASSIFIERS,
            where=stages,
            severity="warning" if name == "at_chance" and stages and too_few else "error",
        )
        for name, stages in failing.items()
    ]


def _follows(result: Classification, labels: tuple[int, ...]) -> bool:
    """Tell whether an accuracy is what its predictions give against the labels of the data set."""
    if len(result.predictions) != len(labels):
        return False
    right = sum(one == other for one, other in zip(result.predictions, labels, strict=True))
    return (result.top1.value, result.top1.n) == (right / len(labels), len(labels))
