from dataclasses import replace
from typing import Any

import pytest

from experiments.audit.checks import checks
from experiments.audit.run import Run
from tests.support import audit_worlds as worlds
from tests.support.audit_worlds import WRITTEN, offline

SOURCE = worlds.CAPTIONED_CIFAR10


def written(*captions: tuple[str, str, tuple[str, ...]], **options: Any) -> Run:
    return offline(generate=worlds.generated(SOURCE, captions, **options))


def with_data(**altered: Any) -> Run:
    return offline(data_sets=worlds.data_sets(*SOURCE, **altered))


def with_cnn(accuracy: float = 0.9, **altered: Any) -> Run:
    return offline(cnn=worlds.trained("CNN", accuracy, **altered))


def showing(*examples: int) -> Run:
    run = offline()
    return replace(run, captions=run.captions.model_copy(update={"examples": examples}))


def changed_base() -> Run:
    return offline(variants=worlds.variants(offline().lora, off_is_base=False))


def repeated_texts() -> Run:
    """A run whose last photo has the texts of the first, under a name of its own."""
    run = written(*WRITTEN[:-1], WRITTEN[0])
    return replace(run, captions=run.captions.model_copy(update={"examples": (0, len(WRITTEN) - 1)}))


PLANTED: dict[str, tuple[Any, int, int]] = {
    "shared_images": (lambda: with_data(shared_images=3), 3, 10_000),
    "shared_photos": (lambda: with_data(shared_photos=2), 2, 12),
    "repeated_photos": (lambda: with_data(repeated_tuning_photos=1, repeated_evaluation_photos=2), 3, 62),
    "shared_references": (lambda: with_data(shared_references=4), 4, 24),
    "unmatched_targets": (lambda: offline(lora=worlds.lora("m", ("q_proj", "v_proj"), matched=0)), 2, 2),
    "unchanged_captions": (lambda: written(*((after, after, refs) for _, after, refs in WRITTEN)), 12, 12),
    "adapter_off": (changed_base, 1, 1),
    "empty_captions": (lambda: written((" ", "", ("a cat",)), *WRITTEN[1:]), 2, 24),
    "same_captions": (lambda: written(*((before, "a dog", refs) for before, _, refs in WRITTEN)), 12, 12),
    "cut_off": (lambda: written(*WRITTEN, ended=False), 12, 12),
    "repeated_examples": (lambda: showing(0, 1, 0), 1, 3),
    "at_chance": (lambda: with_cnn(0.1035), 1, 3),
    "other_labels": (lambda: with_cnn(labels_sha256="0" * 64), 1, 3),
    "other_accuracy": (lambda: with_cnn(predictions=(0,) * 10_000), 1, 3),
}


def test_a_sound_run_passes_every_check_and_each_has_a_failure_to_plant() -> None:
    found = checks(offline())
    assert set(found) == set(PLANTED)
    assert all(check.passed and not check.where for check in found.values())


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_failure_is_found_and_counted(name: str) -> None:
    run, count, of = PLANTED[name]
    check = checks(run())[name]
    assert not check.passed
    assert (check.count, check.of) == (count, of)
    assert set(check.where) <= set(check.stages)
    assert check.where
    if check.stages == ("zero_shot", "vit", "cnn"):
        assert check.where == ("cnn",)


def test_what_the_reader_must_know_is_a_warning_and_no_error() -> None:
    warnings = {check.id for check in checks(offline()).values() if check.severity == "warning"}
    assert warnings == {"shared_references", "cut_off"}


def test_some_captions_without_a_change_or_alike_are_counted_but_no_failure() -> None:
    before, after, references = WRITTEN[0]
    found = checks(written((after, after, references), *WRITTEN[1:]))["unchanged_captions"]
    assert (found.count, found.passed) == (1, True)
    found = checks(written(*WRITTEN[:-1], (before, after, references)))["same_captions"]
    assert (found.count, found.passed) == (2, True)


def test_an_example_with_the_texts_of_another_is_a_repeat_whatever_its_name() -> None:
    assert checks(repeated_texts())["repeated_examples"].count == 1


def test_predictions_of_another_number_of_images_do_not_give_the_accuracy() -> None:
    assert not checks(with_cnn(predictions=(0,) * 9))["other_accuracy"].passed
