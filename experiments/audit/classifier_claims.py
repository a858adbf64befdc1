"""What the brief says of its three classifiers."""

from experiments.audit import brief
from experiments.audit.finding import Finding
from experiments.audit.run import Run
from experiments.audit.verdicts import held_against
from experiments.results.audit import Verdict
from experiments.statistics.intervals import wilson

_BRIEF = "the brief itself"


def classifier_claims(run: Run, tolerance: float) -> dict[str, Finding]:
    """Return what was found of each statement on classifiers; accuracies agree up to `tolerance`."""
    return {
        "test_images": _test_images(run),
        "clip_accuracy": _clip(run, tolerance),
        "zero_shot_speed": _speed(run),
        "vit_accuracy": Finding("not_comparable", "unknown_network", "share", "vit.top1", run.vit.top1),
        "cnn_accuracy": Finding("not_comparable", "unknown_network", "share", "cnn.top1", run.cnn.top1),
        "trained_for_it": _trained(),
        "ordering": _ordering(run),
    }


def _test_images(run: Run) -> Finding:
    found = run.data_sets.test_images
    if not run.is_cifar10:
        verdict, reason = "not_comparable", "other_images"
    elif found == brief.TEST_IMAGES:
        verdict, reason = "agrees", "same_images"
    else:
        verdict, reason = "differs", "other_number"
    return Finding(verdict, reason, "count", "data_sets.test_images", found)


def _clip(run: Run, tolerance: float) -> Finding:
    """Compare the accuracy with the brief's, whose own sampling error is among what is derived."""
    own = wilson(round(brief.CLIP * brief.TEST_IMAGES), brief.TEST_IMAGES)
    verdict, reason = "not_comparable", "other_model"
    if run.is_the_briefs_clip:
        verdict = held_against(run.zero_shot.top1, brief.CLIP - tolerance, brief.CLIP + tolerance)
        reason = {"agrees": "within_tolerance", "differs": "outside_tolerance"}.get(verdict, "at_the_edge")
    return Finding(
        verdict, reason, "share", "zero_shot.top1", run.zero_shot.top1,
        derived={"low": own.low, "high": own.high, "tolerance": tolerance},
    )  # fmt: skip


def _speed(run: Run) -> Finding:
    reason = "other_machine" if run.is_the_briefs_clip else "other_model_and_machine"
    derived = {
        "batches": brief.BATCHES,
        "seconds": brief.SECONDS,
        "batches_per_second": brief.BATCHES / brief.SECONDS,
        "printed_batches_per_second": brief.BATCHES_PER_SECOND,
        "images_per_second": brief.TEST_IMAGES / brief.SECONDS,
    }
    rate = run.zero_shot.images_per_second
    return Finding("not_comparable", reason, "rate", "zero_shot.images_per_second", rate, derived=derived)


def _trained() -> Finding:
    """Ask whether the brief's CNN can be told from guessing, which its own figure answers."""
    own, chance = wilson(round(brief.CNN * brief.TEST_IMAGES), brief.TEST_IMAGES), 1 / brief.CLASSES
    if own.low > chance:
        verdict, reason = "agrees", "above_chance"
    else:
        verdict, reason = "differs", "at_chance" if chance <= own.high else "below_chance"
    return Finding(verdict, reason, "interval", _BRIEF, own, derived={"chance": chance, "images": own.n})


def _ordering(run: Run) -> Finding:
    ranked = sorted(run.classifiers.values(), key=lambda result: -result.top1.value)
    found = " > ".join(result.model for result in ranked)
    verdict, reason = "not_comparable", "other_model"
    if run.is_the_briefs_clip:
        verdict, reason = _order(run)
    return Finding(verdict, reason, "text", "zero_shot, vit, cnn", found_text=found)


def _order(run: Run) -> tuple[Verdict, str]:
    """Tell whether CLIP is tested to be above the ViT, and that above the CNN."""
    above = [run.evidence.tests[pair].verdict for pair in ("zero_shot_vit", "vit_cnn")]
    if set(above) == {"higher"}:
        return "agrees", "same_order"
    return ("differs", "other_order") if "lower" in above else ("cannot_tell", "unsettled")
