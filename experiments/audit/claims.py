"""What the brief claims, held against the run, the brief itself or the architecture that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.audit import brief
from experiments.audit.brief import EXAMPLES, REASONS, STATEMENTS, Example
from experiments.audit.lora_arithmetic import BYTES, LoraArithmetic
from experiments.audit.published import held_against
from experiments.audit.run import Run
from experiments.captioning.scoring import health
from experiments.captioning.scoring.words import words
from experiments.results import key_of
from experiments.results.audit import AuditedClaim, Topic, Unit
from experiments.results.source import named
from experiments.statistics.intervals import wilson
from pipeline.result import Estimate

_ARCHITECTURE = "the architecture of ViT-GPT2"
_BRIEF = "the brief itself"


@dataclass(frozen=True)
class Finding:
    """The fields of `AuditedClaim` that do not come from the brief."""

    reason: str
    unit: Unit
    origin: str
    found: int | float | Estimate | None = None
    found_text: str | None = None
    derived: Mapping[str, int | float] = field(default_factory=dict)


def audited_claims(run: Run, sizes: LoraArithmetic, tolerance: float) -> dict[str, AuditedClaim]:
    """Return every claim in the brief's order; accuracies agree up to `tolerance`.

    Raises:
        KeyError: if a statement has not been looked into, or came out in a way that it does not know.
    """
    topics: dict[Topic, dict[str, Finding]] = {
        "tuning": _tuning(run, sizes),
        "captions": _captions(run),
        "classification": _classification(run, tolerance),
    }
    found = {
        name: _joined(name, topic, finding)
        for topic, findings in topics.items()
        for name, finding in findings.items()
    }
    return {name: found[name] for name in STATEMENTS}


def _joined(name: str, topic: Topic, finding: Finding) -> AuditedClaim:
    """Join a finding with the statement called `name`."""
    statement = STATEMENTS[name]
    return AuditedClaim(
        id=name,
        topic=topic,
        what=statement.what,
        stated_text=statement.text,
        stated=statement.stated,
        stated_low=statement.low,
        stated_high=statement.high,
        verdict=REASONS[name][finding.reason],
        **vars(finding),
    )


def _covers(name: str, figure: float) -> bool:
    """Tell whether a figure is among those that the words of the statement called `name` cover."""
    statement = STATEMENTS[name]
    assert statement.low is not None and statement.high is not None
    return statement.low <= figure <= statement.high


# The fine-tuning: data, options, and what the adapter weighs.


def _tuning(run: Run, sizes: LoraArithmetic) -> dict[str, Finding]:
    lora = run.lora
    return {
        "data_set": _data_set(run),
        "tuning_photos": _setting("tuning_photos", lora.images, "lora.images"),
        "lora_rank": _setting("lora_rank", lora.r, "lora.r"),
        "lora_alpha": _setting("lora_alpha", lora.alpha, "lora.alpha"),
        "lora_targets": _targets(run),
        "layer_kinds": _layer_kinds(sizes),
        "epochs": _setting("epochs", lora.epochs, "lora.epochs"),
        "learning_rate": _setting("learning_rate", lora.learning_rate, "lora.learning_rate", "number"),
        "training_time": Finding(
            "other_machine" if run.is_the_briefs_tuning else "other_tuning_and_machine",
            "seconds",
            "lora.seconds",
            lora.seconds,
        ),
        "lora_trainable": _trainable(sizes),
        "base_parameters": _base(sizes),
        "lora_share": _share(sizes),
        "adapter_size": _size(sizes),
    }


def _setting(name: str, found: int | float, origin: str, unit: Unit = "count") -> Finding:
    """Compare an option of this run with the brief's, whatever model it is an option of."""
    return Finding("same_setting" if _covers(name, found) else "other_setting", unit, origin, found)


def _data_set(run: Run) -> Finding:
    photos = run.data_sets.photos
    if run.is_flickr30k:
        reason = "same_data"
    elif photos.kind == "flickr30k" and photos.files is not None:
        reason = "unchecked_copy"
    else:
        reason = "other_data"
    return Finding(reason, "text", "data_sets.photos_source", found_text=named(run.data_sets.photos_source))


def _targets(run: Run) -> Finding:
    if run.has_the_briefs_targets:
        reason = "same_setting"
    else:
        reason = "other_setting" if run.is_the_briefs_captioner else "other_layers"
    return Finding(reason, "text", "lora.targets", found_text=", ".join(run.lora.targets))


def _layer_kinds(sizes: LoraArithmetic) -> Finding:
    """Hold what the brief calls attention and MLP against where its targets match."""
    derived = {"attention": sizes.c_proj_attention, "mlp": sizes.c_proj_mlp}
    reason = "both_kinds" if sizes.c_proj_mlp else "attention_alone"
    text = "c_proj: attention and MLP" if sizes.c_proj_mlp else "c_proj: attention"
    return Finding(reason, "text", _ARCHITECTURE, found_text=text, derived=derived)


def _trainable(sizes: LoraArithmetic) -> Finding:
    derived = {"trainable_named": sizes.named, "trainable_c_attn": sizes.c_attn}
    reason = _by_targets("lora_trainable", sizes.named, sizes.c_attn)
    return Finding(reason, "parameters", _ARCHITECTURE, sizes.named, derived=derived)


def _base(sizes: LoraArithmetic) -> Finding:
    derived = {"gpt2": sizes.gpt2, "cross_attention": sizes.cross_attention, "whole": sizes.whole}
    if _covers("base_parameters", sizes.whole):
        reason = "whole"
    else:
        reason = "language_model_alone" if _covers("base_parameters", sizes.gpt2) else "neither"
    return Finding(reason, "parameters", _ARCHITECTURE, sizes.whole, derived=derived)


def _share(sizes: LoraArithmetic) -> Finding:
    """Count the share of GPT-2, as the brief does, and of all with the adapter counted, as PEFT does."""
    derived = {
        "part": sizes.named,
        "whole": sizes.gpt2,
        "trainable_named": sizes.named,
        "trainable_c_attn": sizes.c_attn,
        "all_with_named": sizes.whole + sizes.named,
        "gpt2_with_c_attn": sizes.gpt2 + sizes.c_attn,
        "share_of_gpt2_named": sizes.named / sizes.gpt2,
        "share_of_all_named": sizes.named / (sizes.whole + sizes.named),
        "share_of_gpt2_c_attn": sizes.c_attn / sizes.gpt2,
        "share_of_gpt2_with_c_attn": sizes.c_attn / (sizes.gpt2 + sizes.c_attn),
        "share_of_all_c_attn": sizes.c_attn / (sizes.whole + sizes.c_attn),
    }
    named = derived["share_of_gpt2_named"]
    reason = _by_targets("lora_share", named, derived["share_of_gpt2_with_c_attn"])
    return Finding(reason, "part", _ARCHITECTURE, named, derived=derived)


def _size(sizes: LoraArithmetic) -> Finding:
    derived = {"bytes_named": BYTES * sizes.named, "bytes_c_attn": BYTES * sizes.c_attn}
    reason = _by_targets("adapter_size", BYTES * sizes.named, BYTES * sizes.c_attn)
    return Finding(reason, "bytes", _ARCHITECTURE, BYTES * sizes.named, derived=derived)


def _by_targets(name: str, named: float, c_attn: float) -> str:
    """Tell whether a statement fits the targets that the brief names, or c_attn alone, or neither."""
    if _covers(name, named):
        return "named_targets"
    return "c_attn_alone" if _covers(name, c_attn) else "neither"


# The captions before and after fine-tuning, and what is forgotten.


def _captions(run: Run) -> dict[str, Finding]:
    return {
        "examples": _examples(),
        "caption_quality": _quality(),
        "visible_difference": _changed(run),
        "closer_to_style": _style(run),
        "no_forgetting": _forgetting(run),
    }


def distinct(examples: tuple[Example, ...]) -> list[Example]:
    """Return the examples that are no earlier one again, punctuation and spaces aside."""
    seen = {
        (words(example.reference), words(example.before), words(example.after)): example
        for example in reversed(examples)
    }
    return list(reversed(seen.values()))


def _examples() -> Finding:
    shown = len(EXAMPLES)
    reason = "each_once" if shown == STATEMENTS["examples"].stated else "repeated"
    derived = {"shown": shown, "distinct": len(distinct(EXAMPLES))}
    return Finding(reason, "count", _BRIEF, shown, derived=derived)


def _quality() -> Finding:
    """Count the faults that this project looks for in captions among the brief's own tuned ones.

    The references beside them tell what they are to be measured by.
    """
    examples = distinct(EXAMPLES)
    captions = [example.after for example in examples]
    faulty = sum(map(_at_fault, captions))
    references = sum(_at_fault(example.reference) for example in examples)
    derived = {
        "part": faulty,
        "whole": len(captions),
        "cut_off": sum(health.cut_off(text, ended=True) for text in captions),
        "rambling": sum(map(health.rambles, captions)),
        "repeating": sum(map(health.repeats, captions)),
        "references_at_fault": references,
    }
    reason = "faulty" if faulty > references else "sound"
    return Finding(reason, "count_of", _BRIEF, faulty, derived=derived)


def _at_fault(text: str) -> bool:
    return health.cut_off(text, ended=True) or health.rambles(text) or health.repeats(text)


def _changed(run: Run) -> Finding:
    records = run.generate.records
    changed = sum(record.before != record.after for record in records)
    if not run.is_the_briefs_tuning:
        reason = "other_tuning"
    else:
        reason = "all_changed" if changed == len(records) else "some_unchanged"
    derived = {"part": changed, "whole": len(records)}
    return Finding(reason, "count_of", "captions.changed", wilson(changed, len(records)), derived=derived)


def _style(run: Run) -> Finding:
    """Read whether the words of the captions came closer to those of the references."""
    key = key_of.caption("distance")
    test = run.evidence.tests[key]
    reason = {"lower": "closer", "higher": "further", "unclear": "unclear"}[test.verdict]
    if not run.is_the_briefs_tuning:
        reason = f"other_tuning_{reason}"
    return Finding(reason, "bits", f"evidence.tests.{key}", test.difference)


def _forgetting(run: Run) -> Finding:
    """Look into the claim, which is one on LoRA as such: with the adapter switched off and with it on."""
    off_is_base, test = run.ablations.off_is_base, run.forgetting
    if test is None:
        return Finding("base_alone" if off_is_base else "base_changed", "text", "ablations.off_is_base")
    reason = "base_changed"
    if off_is_base:
        on = {"lower": "lost_when_on", "higher": "gained_when_on", "unclear": "unclear_when_on"}
        reason = on[test.verdict]
    derived = {"before": test.other, "after": test.one, "photos": test.difference.n}
    return Finding(reason, "change", "evidence.tests", test.difference, derived=derived)


# The three classifiers.


def _classification(run: Run, tolerance: float) -> dict[str, Finding]:
    return {
        "test_images": _test_images(run),
        "clip_accuracy": _clip(run, tolerance),
        "zero_shot_speed": _speed(run),
        "vit_accuracy": Finding("unknown_network", "share", "vit.top1", run.vit.top1),
        "cnn_accuracy": Finding("unknown_network", "share", "cnn.top1", run.cnn.top1),
        "trained_for_it": _trained(),
        "ordering": _ordering(run),
    }


def _test_images(run: Run) -> Finding:
    found = run.data_sets.test_images
    if not run.is_cifar10:
        reason = "other_images"
    else:
        reason = "same_images" if found == brief.TEST_IMAGES else "other_number"
    return Finding(reason, "count", "data_sets.test_images", found)


def _clip(run: Run, tolerance: float) -> Finding:
    """Compare the accuracy with the brief's, whose own sampling error is among what is derived."""
    own = wilson(round(brief.CLIP * brief.TEST_IMAGES), brief.TEST_IMAGES)
    derived = {"low": own.low, "high": own.high, "tolerance": tolerance}
    measured, reason = run.zero_shot.top1, "other_model"
    if run.is_the_briefs_clip:
        verdict = held_against(measured, brief.CLIP, tolerance)
        reason = {"agrees": "within_tolerance", "differs": "outside_tolerance"}.get(verdict, "at_the_edge")
    return Finding(reason, "share", "zero_shot.top1", measured, derived=derived)


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
    return Finding(reason, "rate", "zero_shot.images_per_second", rate, derived=derived)


def _trained() -> Finding:
    """Ask whether the brief's CNN can be told from guessing, which its own figure answers."""
    own, chance = wilson(round(brief.CNN * brief.TEST_IMAGES), brief.TEST_IMAGES), 1 / brief.CLASSES
    reason = "at_chance"
    if chance < own.low:
        reason = "above_chance"
    elif own.high < chance:
        reason = "below_chance"
    return Finding(reason, "interval", _BRIEF, own, derived={"chance": chance, "images": own.n})


def _ordering(run: Run) -> Finding:
    """Tell whether CLIP is tested to be above the ViT, and that above the CNN."""
    ranked = sorted(run.classifiers.values(), key=lambda result: -result.top1.value)
    pairs = (key_of.pair("zero_shot", "vit"), key_of.pair("vit", "cnn"))
    above = [run.evidence.tests[pair].verdict for pair in pairs]
    if not run.is_the_briefs_clip:
        reason = "other_model"
    elif "lower" in above:
        reason = "other_order"
    else:
        reason = "unsettled" if "unclear" in above else "same_order"
    found = " > ".join(result.model for result in ranked)
    return Finding(reason, "text", "zero_shot, vit, cnn", found_text=found)
