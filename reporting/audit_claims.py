"""What the audit found, as claims: the brief's own claims by verdict and reason, and published figures."""

from collections.abc import Iterator, Mapping

from experiments.results.audit import Audit, AuditedClaim, Unit, Verdict
from reporting.claims import Claim, Says, Word, of_the_brief

_SAYS: Mapping[Verdict, Says] = {
    "agrees": "holds",
    "differs": "fails",
    "cannot_tell": "unclear",
    "not_comparable": "not_comparable",
}

FOUND: Mapping[Unit, str] = {
    "count": "{{ n.count(found) }}",
    "count_of": "{{ n.count(part) }} of {{ n.count(whole) }}",
    "parameters": "{{ n.count(found) }}",
    "part": "{{ n.share(part, whole) }}",
    "share": "{{ n.percent(found) }}",
    "interval": "{{ n.interval(found) }}",
    "change": '{{ n.change(found, "share") }}',
    "bytes": "{{ n.megabytes(found) }}",
    "seconds": "{{ n.duration(found) }}",
    "rate": "{{ n.rate(found) }} images/s",
    "number": "{{ n.decimal(found) }}",
    "bits": '{{ n.change(found, "bits") }} bits',
}
"""How each unit is printed but text, whose words follow from the verdict or the reason."""
_TEXT: Mapping[str, str] = {
    "agrees": "the same",
    "differs": "another",
    "not_comparable": "another",
    "cannot_tell": "not settled",
    "both_kinds": "MLP as well",
    "base_alone": "not measured",
    "base_changed": "not measured",
}

_SETTING = {"same_setting": "This run is set so too.", "other_setting": "This run is set otherwise."}
_NETWORK = {"unknown_network": "The brief does not say how its network is built or trained."}
_SHARE = (
    " of the language model, and {{ n.share(trainable_named, all_with_named) }} of the captioner with the"
    " adapter. c_attn alone would be {{ n.share(trainable_c_attn, whole) }} of the language model,"
    " {{ n.share(trainable_c_attn, gpt2_with_c_attn) }} with the adapter counted in."
)
_SPEED = (
    " on another machine. The brief's batches in its seconds are {{ n.times(batches, seconds) }} a second, or"
    " {{ n.rate(images_per_second) }} images; its own bar prints {{ n.decimal(printed_batches_per_second) }}"
    " batches."
)
_SWITCHED = (
    "True of the base, which is bit for bit itself with the adapter switched off. With it on,"
    " {{ n.percent(after) }} of {{ n.count(photos) }} held-out captions name the right class, against"
    " {{ n.percent(before) }} before tuning: "
)
_GUESSING = (
    "This is the interval of the brief's own figure at {{ n.count(images) }} images, and guessing reaches"
    " {{ n.percent(chance) }}: its CNN "
)
_ORDER = "With trained networks of this project's own, and by the tests of each pair: {{ n.text(text) }}."

WHY: Mapping[str, Mapping[str, str]] = {
    "data_set": {
        "same_data": "The same data set.",
        "other_data": "Here it is: {{ n.text(text) }}. No figure on captions can be the brief's.",
        "unchecked_copy": "A copy on this machine, which the profile calls so and nothing checks:"
        " {{ n.text(text) }}.",
    },
    "tuning_photos": _SETTING,
    "lora_rank": _SETTING,
    "lora_alpha": _SETTING,
    "lora_targets": {
        "same_setting": "This run is set so too.",
        "other_setting": "This run is set otherwise: {{ n.text(text) }}.",
        "other_layers": "Another captioner, with its adapter on other layers: {{ n.text(text) }}.",
    },
    "layer_kinds": {
        "both_kinds": "The brief counts it to the attention layers, but the name matches"
        " {{ n.count(attention) }} of those, cross-attention among them, and {{ n.count(mlp) }} of the MLPs.",
        "attention_alone": "The name matches layers of attention alone.",
    },
    "epochs": _SETTING,
    "learning_rate": _SETTING,
    "training_time": {
        "other_machine": "The same on another machine than the brief's Colab GPU.",
        "other_tuning_and_machine": "{{ other_tuning }}, on another machine than the brief's Colab GPU.",
    },
    "lora_trainable": {
        "named_targets": "The layers that the brief names give as many.",
        "c_attn_alone": "The layers that the brief names give this many; c_attn alone would give"
        " {{ n.count(trainable_c_attn) }}.",
        "neither": "Neither the layers that the brief names give as many nor c_attn alone, with"
        " {{ n.count(trainable_c_attn) }}.",
    },
    "base_parameters": {
        "whole": "The captioner has as many.",
        "language_model_alone": "The brief's figure is the captioner's language model alone,"
        " {{ n.count(gpt2) }} without cross-attention.",
        "neither": "Neither the captioner has as many nor its language model alone, with"
        " {{ n.count(gpt2) }}.",
    },
    "lora_share": {
        "named_targets": "The layers that the brief names give it" + _SHARE,
        "c_attn_alone": "The layers that the brief names give this share" + _SHARE,
        "neither": "Neither the layers that the brief names give the brief's share nor c_attn alone: they"
        " give this" + _SHARE,
    },
    "adapter_size": {
        "named_targets": "The layers that the brief names give it, at four bytes a parameter.",
        "c_attn_alone": "The layers that the brief names give this at four bytes a parameter; c_attn alone"
        " would give {{ n.megabytes(bytes_c_attn) }}.",
        "neither": "Neither the layers that the brief names give it nor c_attn alone, with"
        " {{ n.megabytes(bytes_c_attn) }}.",
    },
    "examples": {
        "each_once": "Each is shown once.",
        "repeated": "It prints {{ n.count(shown) }}, of which {{ n.count(distinct) }} are different: spaces"
        " and punctuation aside, the rest repeats them.",
    },
    "caption_quality": {
        "faulty": "At fault by the rules for this run's own captions. Cut off: {{ n.count(cut_off) }}; going"
        " on after the first sentence: {{ n.count(rambling) }}; repeating itself: {{ n.count(repeating) }}."
        " Of the references beside them, {{ n.count(references_at_fault) }} are at fault.",
        "sound": "No more of them are cut off, go on after their first sentence or repeat themselves than of"
        " the references beside them.",
    },
    "visible_difference": {
        "other_tuning": "{{ other_tuning }}.",
        "all_changed": "Every caption is another after tuning.",
        "some_unchanged": "Not every caption is another after tuning.",
    },
    "closer_to_style": {
        "closer": "The words of the captions came closer to those of the references.",
        "further": "The words of the captions went away from those of the references.",
        "unclear": "The change cannot be told from none.",
        "other_tuning_closer": "{{ other_tuning }}. Here the words of the captions came closer to those of"
        " the references.",
        "other_tuning_further": "{{ other_tuning }}. Here the words of the captions went away from those of"
        " the references.",
        "other_tuning_unclear": "{{ other_tuning }}. Here the change cannot be told from none.",
    },
    "no_forgetting": {
        "base_alone": "The base is bit for bit itself with the adapter switched off; with it on, nothing was"
        " measured.",
        "base_changed": "Not even of the base: with an adapter switched off, its logits are not what they"
        " were.",
        "lost_when_on": _SWITCHED + "a loss.",
        "gained_when_on": _SWITCHED + "no loss.",
        "unclear_when_on": _SWITCHED + "too small a change to be told from none.",
    },
    "test_images": {
        "same_images": "The same images, by the hash of their labels.",
        "other_images": "Other images.",
        "other_number": "The same labels, but another number.",
    },
    "clip_accuracy": {
        "other_model": "{{ other_zero_shot }}. The brief's own figure has the interval {{ n.percent(low) }}"
        " to {{ n.percent(high) }}.",
        "within_tolerance": "The interval, {{ n.interval(found) }}, lies within {{ n.points(tolerance) }} to"
        " both sides of the brief's figure.",
        "outside_tolerance": "The interval, {{ n.interval(found) }}, lies wholly further than"
        " {{ n.points(tolerance) }} from the brief's figure.",
        "at_the_edge": "The interval, {{ n.interval(found) }}, lies partly within {{ n.points(tolerance) }}"
        " of the brief's figure and partly not.",
    },
    "zero_shot_speed": {
        "other_machine": "The same model" + _SPEED,
        "other_model_and_machine": "{{ other_zero_shot }}" + _SPEED,
    },
    "vit_accuracy": _NETWORK,
    "cnn_accuracy": _NETWORK,
    "trained_for_it": {
        "at_chance": _GUESSING + "cannot be told from guessing, so that it is broken rather than weak. The"
        " brief lists it among networks that were trained for the task.",
        "below_chance": _GUESSING + "is worse than guessing.",
        "above_chance": "The interval of the brief's own figure lies above the {{ n.percent(chance) }} of"
        " guessing.",
    },
    "ordering": {
        "other_model": "{{ other_zero_shot }} than the brief's: {{ n.text(text) }}.",
        "same_order": _ORDER,
        "other_order": _ORDER,
        "unsettled": "Not every pair can be told apart, so that the order is not settled:"
        " {{ n.text(text) }}.",
    },
}
"""For each claim of the brief a wording for each reason that the audit can give for its verdict."""


def brief_claims(audit: Audit) -> Iterator[Claim]:
    """Yield every claim of the brief: what it says is its verdict, and its only wording that of the reason.

    It has none where the audit gave a reason that is not worded here, and cannot be said then.
    """
    for name, entry in audit.claims.items():
        says = _SAYS[entry.verdict]
        why = {says: WHY.get(name, {}).get(entry.reason)}
        yield Claim(
            id=f"brief_{name}",
            group=of_the_brief(entry.topic),
            says=says,
            holds=why.get("holds"),
            fails=why.get("fails"),
            unclear=why.get("unclear"),
            not_comparable=why.get("not_comparable"),
            found=_found(entry),
            words=_words(audit, entry),
        )


def _found(entry: AuditedClaim) -> str:
    if entry.unit == "text":
        return _TEXT.get(entry.reason, _TEXT[entry.verdict])
    return FOUND[entry.unit] + (" at fault" if entry.id == "caption_quality" else "")


def _words(audit: Audit, entry: AuditedClaim) -> dict[str, Word]:
    """Return the paths of what was found and derived, and what of the brief's experiments the run has not."""
    path = f"audit.claims.{entry.id}"
    weights = "" if audit.shared.zero_shot else "other weights"
    images = "" if audit.shared.images else "other images"
    return {
        "found": f"{path}.found",
        "text": f"{path}.found_text",
        "other_tuning": _other_tuning(audit),
        "other_zero_shot": _listed(weights, images),
        **{name: f"{path}.derived.{name}" for name in entry.derived},
    }


def _other_tuning(audit: Audit) -> str:
    captioner = photos = ""
    if not audit.shared.captioner:
        captioner = "another captioner"
    elif not audit.shared.targets:
        captioner = "other layers"
    if not audit.shared.photos:
        unchecked = audit.claims["data_set"].reason == "unchecked_copy"
        photos = "photos that nothing shows to be the brief's" if unchecked else "other photos"
    return _listed(captioner, photos)


def _listed(*parts: str) -> str:
    return " and ".join(filter(None, parts)).capitalize()


def published_claims(audit: Audit) -> Iterator[Claim]:
    """Yield how a model does beside its published figure, where it has the published weights."""
    for name, anchor in audit.published.items():
        if anchor.comparable_with is not None and anchor.measured is not None:
            path = f"audit.published.{name}"
            yield Claim(
                id=f"published_{name}",
                group="published",
                says=_SAYS[anchor.verdict],
                holds="{{ name }} does as published: {{ link(measured) }} here (interval {{ interval }}),"
                " and {{ value }} by {{ source }}, which is within {{ tolerance }}.",
                fails="{{ name }} does not do as published: {{ link(measured) }} here (interval"
                " {{ interval }}), and {{ value }} by {{ source }}, which is more than {{ tolerance }}"
                " away.",
                unclear="Whether {{ name }} does as published cannot be told: {{ link(measured) }} here"
                " (interval {{ interval }}), and {{ value }} by {{ source }}; the interval does not lie"
                " within {{ tolerance }} of it, nor wholly outside.",
                words={
                    "name": ("text", f"{anchor.comparable_with}.model"),
                    "measured": ("percent", f"{path}.measured"),
                    "interval": ("interval", f"{path}.measured"),
                    "value": ("percent", f"{path}.value"),
                    "source": ("text", f"{path}.source"),
                    "tolerance": ("points", f"{path}.tolerance"),
                },
                facts=(f"{path}.measured", f"{anchor.comparable_with}.top1"),
            )
