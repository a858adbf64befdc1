"""What the brief says of its fine-tuning: data, options, and what the adapter weighs."""

from experiments.audit.finding import Finding, covers, setting
from experiments.audit.lora_arithmetic import BYTES, LoraArithmetic
from experiments.audit.run import Run
from experiments.results.audit import Verdict

_ARCHITECTURE = "the architecture of ViT-GPT2"


def tuning_claims(run: Run, sizes: LoraArithmetic) -> dict[str, Finding]:
    """Return what was found of each statement on the fine-tuning."""
    lora = run.lora
    return {
        "data_set": _data_set(run),
        "tuning_photos": setting("tuning_photos", lora.images, "count", "lora.images"),
        "lora_rank": setting("lora_rank", lora.r, "count", "lora.r"),
        "lora_alpha": setting("lora_alpha", lora.alpha, "count", "lora.alpha"),
        "lora_targets": _targets(run),
        "layer_kinds": _layer_kinds(sizes),
        "epochs": setting("epochs", lora.epochs, "count", "lora.epochs"),
        "learning_rate": setting("learning_rate", lora.learning_rate, "number", "lora.learning_rate"),
        "training_time": _time(run),
        "lora_trainable": _trainable(sizes),
        "base_parameters": _base(sizes),
        "lora_share": _share(sizes),
        "adapter_size": _size(sizes),
    }


def _data_set(run: Run) -> Finding:
    source = run.data_sets.photos_source
    if run.is_flickr30k:
        verdict, reason = "agrees", "same_data"
    elif run.data_sets.photos.kind == "flickr30k" and run.data_sets.photos.files is not None:
        verdict, reason = "cannot_tell", "unchecked_copy"
    else:
        verdict, reason = "not_comparable", "other_data"
    return Finding(verdict, reason, "text", "data_sets.photos_source", found_text=source)


def _targets(run: Run) -> Finding:
    if run.has_the_briefs_targets:
        verdict, reason = "agrees", "same_setting"
    elif not run.is_the_briefs_captioner:
        verdict, reason = "not_comparable", "other_layers"
    else:
        verdict, reason = "differs", "other_setting"
    return Finding(verdict, reason, "text", "lora.targets", found_text=", ".join(run.lora.targets))


def _layer_kinds(sizes: LoraArithmetic) -> Finding:
    """Hold what the brief calls attention and MLP against where its targets match."""
    derived = {"attention": sizes.c_proj_attention, "mlp": sizes.c_proj_mlp}
    verdict, reason = ("differs", "both_kinds") if sizes.c_proj_mlp else ("agrees", "attention_alone")
    text = "c_proj: attention and MLP" if sizes.c_proj_mlp else "c_proj: attention"
    return Finding(verdict, reason, "text", _ARCHITECTURE, found_text=text, derived=derived)


def _time(run: Run) -> Finding:
    reason = "other_machine" if run.is_the_briefs_tuning else "other_tuning_and_machine"
    return Finding("not_comparable", reason, "seconds", "lora.seconds", run.lora.seconds)


def _trainable(sizes: LoraArithmetic) -> Finding:
    derived = {"trainable_named": sizes.named, "trainable_c_attn": sizes.c_attn}
    verdict, reason = _by_targets("lora_trainable", sizes.named, sizes.c_attn)
    return Finding(verdict, reason, "parameters", _ARCHITECTURE, sizes.named, derived=derived)


def _base(sizes: LoraArithmetic) -> Finding:
    derived = {"gpt2": sizes.gpt2, "cross_attention": sizes.cross_attention, "whole": sizes.whole}
    if covers("base_parameters", sizes.whole):
        verdict, reason = "agrees", "whole"
    elif covers("base_parameters", sizes.gpt2):
        verdict, reason = "differs", "language_model_alone"
    else:
        verdict, reason = "differs", "neither"
    return Finding(verdict, reason, "parameters", _ARCHITECTURE, sizes.whole, derived=derived)


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
    verdict, reason = _by_targets("lora_share", named, derived["share_of_gpt2_with_c_attn"])
    return Finding(verdict, reason, "part", _ARCHITECTURE, named, derived=derived)


def _size(sizes: LoraArithmetic) -> Finding:
    derived = {"bytes_named": BYTES * sizes.named, "bytes_c_attn": BYTES * sizes.c_attn}
    verdict, reason = _by_targets("adapter_size", BYTES * sizes.named, BYTES * sizes.c_attn)
    return Finding(verdict, reason, "bytes", _ARCHITECTURE, BYTES * sizes.named, derived=derived)


def _by_targets(name: str, named: float, c_attn: float) -> tuple[Verdict, str]:
    """Tell whether a statement fits the targets that the brief names, or c_attn alone, or neither."""
    if covers(name, named):
        return "agrees", "named_targets"
    return "differs", "c_attn_alone" if covers(name, c_attn) else "neither"
