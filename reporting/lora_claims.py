"""What the report claims of low-rank adaptation: its share, its price, and what rank and targets change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.results import key_of
from experiments.results.ablations import Ablations, Variant
from experiments.results.evidence import Evidence
from experiments.results.lora import Lora
from reporting import caption_facts as facts
from reporting.claims import Claim, Says, Word, by_fact, by_test, sides

_SMALL = 0.1
_ALIKE: Mapping[facts.Order, Says] = {"less": "holds", "more": "fails", "unclear": "unclear"}
_AWAY = ": {{ one }} bits away against {{ other }} {{ shown() }}"
_COSTS = (
    ("kept", "saved_bytes", "megabytes", "leaves {} to keep", "about as much"),
    ("time", "seconds", "duration", "took {} time in the one run of each", "about the same"),
    ("memory", "peak_bytes", "megabytes", "needed {} memory at its peak", "about as much"),
)
"""Name, field of `Variant`, format, and a clause that holds less, more, or the last where they are alike."""


def lora_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims on the adapter, as far as the results are there."""
    if "lora" not in values:
        return
    lora: Lora = values["lora"]
    yield _share(lora)
    if "ablations" not in values:
        return
    ablations: Ablations = values["ablations"]
    if facts.adapters_of(ablations.variants):
        yield _off_is_base(ablations)
    if "evidence" in values:
        yield from _variants(lora, ablations.variants, values["evidence"])


def _variants(lora: Lora, variants: Sequence[Variant], evidence: Evidence) -> Iterator[Claim]:
    for at, variant in enumerate(variants):
        if key_of.forgotten(variant.key) in evidence.tests:
            yield _forgets(at, variant, evidence)
    main, full = lora.position_among(variants), facts.full_of(variants)
    if main is None:
        return
    if full is not None:
        yield from _against_full(variants, main, full, evidence)
    yield from _ranks(variants, main, evidence)
    for at in facts.fewer_targets(variants, main):
        yield _fewer_targets(variants, main, at, evidence)


def _share(lora: Lora) -> Claim:
    return Claim(
        id="lora_share",
        group="lora",
        says=by_fact(lora.trainable < _SMALL * lora.total),
        holds="The correction that was learned is small, less than a tenth of the captioner:"
        " {{ trainable }} of {{ total }} parameters, {{ link(share) }}.",
        fails="The correction that was learned is not small, a tenth of the captioner or more:"
        " {{ trainable }} of {{ total }} parameters, {{ link(share) }}.",
        words={
            "trainable": ("count", "lora.trainable"),
            "total": ("count", "lora.total"),
            "share": ("share", "lora.trainable", "lora.total"),
        },
        facts=("lora.trainable", "lora.total"),
    )


def _off_is_base(ablations: Ablations) -> Claim:
    return Claim(
        id="adapter_off_is_base",
        group="adapter off",
        says=by_fact(ablations.off_is_base),
        holds="Whatever an adapter has forgotten is not lost: with it switched off, the logits equal those"
        " of the base {{ link(exactly) }}. This was tested for every adapter here. It holds because the"
        " base's weights are frozen, and says nothing of the captioner with the adapter switched on.",
        fails="Switching an adapter off does {{ link(not_exactly) }} give the base back here: the logits"
        " of at least one of them differ from the base's, although its weights should have been frozen.",
        words={"exactly": "bit for bit", "not_exactly": "not"},
        facts=("ablations.off_is_base",),
    )


def _forgets(at: int, variant: Variant, evidence: Evidence) -> Claim:
    key = key_of.forgotten(variant.key)
    return Claim(
        id=f"{variant.key}_forgets",
        group="forgetting",
        says=by_test(evidence.tests[key], lower=True),
        holds="Of what the base could do, {{ name }} has forgotten some: its captions name the right class"
        " on {{ one }} of held-out images, the base's on {{ other }} {{ shown() }}.",
        fails="Instead of forgetting, {{ name }} does better than the base on held-out images: its"
        " captions name the right class on {{ one }} of them, the base's on {{ other }} {{ shown() }}.",
        unclear="Whether {{ name }} has forgotten anything cannot be told: its captions name the right"
        " class on {{ one }} of held-out images, the base's on {{ other }} {{ shown() }}.",
        words={"name": _name(at), **sides(key, "percent")},
        tests=(key,),
    )


def _against_full(variants: Sequence[Variant], main: int, full: int, evidence: Evidence) -> Iterator[Claim]:
    """Yield what the adapter costs and brings beside full fine-tuning, in clauses that a list can hold."""
    for name, field, how, clause, alike in _COSTS:
        ours, theirs = (f"ablations.variants.{at}.{field}" for at in (main, full))
        values = getattr(variants[main], field), getattr(variants[full], field)
        if None in values:
            continue
        figures = ": {{ link(ours) }} against {{ theirs }}"
        yield Claim(
            id=f"lora_{name}",
            group="against full",
            says=_ALIKE[facts.cost(*values)],
            holds=clause.format("less") + figures,
            fails=clause.format("more") + figures,
            unclear=clause.format(alike) + figures,
            words={"ours": (how, ours), "theirs": (how, theirs)},
            facts=(ours, theirs),
        )
    key = key_of.distance(variants[full].key)
    yield Claim(
        id="lora_closer_than_full",
        group="against full",
        says=by_test(evidence.tests[key], lower=True),
        holds="brings the captions closer to the references' style" + _AWAY,
        fails="brings the captions less close to the references' style" + _AWAY,
        unclear="cannot be told from it in how close the captions come to the references' style" + _AWAY,
        words=sides(key, "measured", "bits"),
        tests=(key,),
    )
    key = key_of.held_out(variants[full].key)
    figures = ": the right class is named on {{ one }} of held-out images against {{ other }} {{ shown() }}"
    yield Claim(
        id="lora_forgets_less_than_full",
        group="against full",
        says=by_test(evidence.tests[key]),
        holds="forgets less of what the base could do" + figures,
        fails="forgets more of what the base could do" + figures,
        unclear="cannot be told from it in what it forgets" + figures,
        words=sides(key, "percent"),
        tests=(key,),
    )


def _ranks(variants: Sequence[Variant], main: int, evidence: Evidence) -> Iterator[Claim]:
    """Yield what more rank brings: from the lowest, in the last step, and whether the returns diminish."""
    series = facts.rank_series(variants, main)
    lower = series[: series.index(main)]
    if not lower:
        return
    whole = _rank_step("rank_matters", lower[0], main, variants, evidence)
    yield whole
    last = whole
    if len(lower) > 1:
        last = _rank_step("last_step_of_rank", lower[-1], main, variants, evidence)
        yield last
    yield _returns(variants, [*lower, main], evidence, (whole.says, last.says))


def _rank_step(claim: str, at: int, main: int, variants: Sequence[Variant], evidence: Evidence) -> Claim:
    key = key_of.distance(variants[at].key)
    step = "From {{ low }} to {{ high }}, with {{ times }} times as many parameters, "
    figures = ": {{ other }} bits away before, {{ one }} after {{ shown() }}."
    return Claim(
        id=claim,
        group="rank",
        says=by_test(evidence.tests[key], lower=True),
        holds=step + "the captions come closer to the references' style" + figures,
        fails=step + "the captions go further from the references' style" + figures,
        unclear=step + "no change in the captions' style can be told" + figures,
        words={
            "low": _name(at),
            "high": _name(main),
            "times": ("times", f"ablations.variants.{main}.trainable", f"ablations.variants.{at}.trainable"),
            **sides(key, "measured", "bits"),
        },
        tests=(key,),
    )


def _returns(
    variants: Sequence[Variant], series: Sequence[int], evidence: Evidence, steps: tuple[Says, Says]
) -> Claim:
    """Say whether the returns of rank diminish; without returns, or with losses, there is no telling."""
    *lower, main = series
    whole, last = steps
    enough = facts.enough_rank(variants, series, evidence)
    diminish = (
        "So the returns of rank diminish, and in the {{ link(last) }} step they turn into losses."
        if last == "fails"
        else "So the returns of rank diminish: {{ enough }}, with {{ share }} of the parameters of"
        " {{ main }}, {{ link(as_close) }} as that does, as far as can be told."
    )
    return Claim(
        id="returns_diminish",
        group="rank",
        says=by_fact(last != "holds") if whole == "holds" else "unclear",
        holds=diminish,
        fails="So the returns of rank do not end within the ranks tried: the {{ link(last) }} step still"
        " shows.",
        unclear="So the ranks tried show no returns that {{ link(could) }} diminish.",
        words={
            "enough": _name(enough),
            "main": _name(main),
            "share": (
                "share",
                f"ablations.variants.{enough}.trainable",
                f"ablations.variants.{main}.trainable",
            ),
            "as_close": "comes as close to the references' style",
            "last": "last",
            "could": "could",
        },
        tests=tuple(key_of.distance(variants[at].key) for at in lower),
    )


def _fewer_targets(variants: Sequence[Variant], main: int, at: int, evidence: Evidence) -> Claim:
    key = key_of.distance(variants[at].key)
    start = "{{ fewer }} trains {{ share }} of the parameters of {{ all }}, and its captions "
    figures = " the references' style: {{ other }} bits away against {{ one }} {{ shown() }}."
    return Claim(
        id=f"all_targets_beat_{variants[at].key}",
        group="targets",
        says=by_test(evidence.tests[key], lower=True),
        holds=start + "stay further from" + figures,
        fails=start + "come closer to" + figures,
        unclear=start + "cannot be told to be nearer to or further from" + figures,
        words={
            "fewer": _name(at),
            "all": _name(main),
            "share": ("share", f"ablations.variants.{at}.trainable", f"ablations.variants.{main}.trainable"),
            **sides(key, "measured", "bits"),
        },
        tests=(key,),
    )


def _name(at: int) -> Word:
    return ("text", f"ablations.variants.{at}.name")
