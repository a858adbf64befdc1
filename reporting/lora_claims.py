"""What the report claims of low-rank adaptation: its share, its price, and what rank and targets changed.

Each way of tuning was trained once, so that a claim is of that training and never of the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.audit.brief import STATEMENTS
from experiments.results import key_of
from experiments.results.ablations import Ablations, Variant
from experiments.results.evidence import Evidence
from experiments.results.lora import Lora
from reporting import caption_facts as facts
from reporting.claims import Claim, Says, Word, by_fact, by_test

_SMALL = 0.1
_ALIKE: Mapping[facts.Order, Says] = {"less": "holds", "more": "fails", "unclear": "unclear"}
_COSTS = (
    ("kept", "saved_bytes", "megabytes"),
    ("time", "seconds_per_step", "duration"),
    ("memory", "peak_bytes", "megabytes"),
)
"""Name, field of `Variant` and format of what an adapter costs."""


def lora_claims(values: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims on the adapter, as far as the results are there."""
    if "lora" not in values:
        return
    lora: Lora = values["lora"]
    yield Claim(
        id="lora_share",
        group="lora",
        says=by_fact(lora.trainable < _SMALL * lora.total),
        words={
            "trainable": ("count", "lora.trainable"),
            "total": ("count", "lora.total"),
            "share": ("share", "lora.trainable", "lora.total"),
        },
        facts=("lora.trainable", "lora.total"),
    )
    if "ablations" not in values:
        return
    ablations: Ablations = values["ablations"]
    if facts.adapters_of(ablations.variants):
        says, fact = by_fact(ablations.off_is_base), "ablations.off_is_base"
        yield Claim(id="adapter_off_is_base", group="adapter off", says=says, facts=(fact,))
    main, full = lora.position_among(ablations.variants), facts.full_of(ablations.variants)
    if main is not None and full is not None:
        yield _recipe(lora, ablations.variants, main, full)
    if "evidence" in values:
        yield from _variants(lora, ablations.variants, values["evidence"])


def _recipe(lora: Lora, variants: Sequence[Variant], main: int, full: int) -> Claim:
    """Say that one recipe serves all ways of tuning, whose it is, and how unlike they come out of it."""
    settings: Mapping[str, float] = {
        "lora_rank": lora.r,
        "lora_alpha": lora.alpha,
        "epochs": lora.epochs,
        "learning_rate": lora.learning_rate,
    }
    fastest, slowest = facts.by_last_loss(variants)
    return Claim(
        id="one_recipe",
        group="recipe",
        says=by_fact(all(STATEMENTS[name].stated == value for name, value in settings.items())),
        words={
            "main": _name(main),
            "epochs": ("count", "lora.epochs"),
            "rate": ("decimal", "lora.learning_rate"),
            "slowest": _name(slowest),
            "highest": ("nats", f"ablations.variants.{slowest}.last_loss"),
            "fastest": _name(fastest),
            "lowest": ("nats", f"ablations.variants.{fastest}.last_loss"),
            "full": _name(full),
            "share": ("share", f"ablations.variants.{full}.learning_rate", "lora.learning_rate"),
        },
        facts=("lora.learning_rate", f"ablations.variants.{full}.learning_rate"),
    )


def _variants(lora: Lora, variants: Sequence[Variant], evidence: Evidence) -> Iterator[Claim]:
    for at, variant in enumerate(variants):
        test = key_of.forgotten(variant.key)
        if test in evidence.tests:
            yield by_test(
                evidence,
                test,
                lower=True,
                id=f"{variant.key}_forgets",
                wording="forgets",
                group="forgetting",
                words={"name": _name(at)},
            )
    main, full = lora.position_among(variants), facts.full_of(variants)
    if main is None:
        return
    if full is not None:
        yield from _against_full(variants, main, full, evidence)
    yield from _ranks(variants, main, evidence)
    for at in facts.fewer_targets(variants, main):
        yield by_test(
            evidence,
            key_of.distance(variants[at].key),
            lower=True,
            id=f"all_targets_beat_{variants[at].key}",
            wording="all_targets_beat",
            group="targets",
            words={"fewer": _name(at), "all": _name(main), "share": _trained("share", at, main)},
        )


def _against_full(variants: Sequence[Variant], main: int, full: int, evidence: Evidence) -> Iterator[Claim]:
    """Yield what the adapter costs and brings beside full fine-tuning, in clauses that a list can hold."""
    group = "against full"
    for name, field, how in _COSTS:
        ours, theirs = (f"ablations.variants.{at}.{field}" for at in (main, full))
        costs = getattr(variants[main], field), getattr(variants[full], field)
        if None not in costs:
            yield Claim(
                id=f"lora_{name}",
                group=group,
                says=_ALIKE[facts.cost(*costs)],
                words={"ours": (how, ours), "theirs": (how, theirs)},
                facts=(ours, theirs),
            )
    key = variants[full].key
    yield by_test(evidence, key_of.distance(key), lower=True, id="lora_closer_than_full", group=group)
    yield by_test(evidence, key_of.held_out(key), id="lora_forgets_less_than_full", group=group)


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
    return by_test(
        evidence,
        key_of.distance(variants[at].key),
        lower=True,
        id=claim,
        wording="rank_step",
        group="rank",
        words={"low": _name(at), "high": _name(main), "times": _trained("times", main, at)},
    )


def _returns(
    variants: Sequence[Variant], series: Sequence[int], evidence: Evidence, steps: tuple[Says, Says]
) -> Claim:
    """Say whether the returns of rank diminish; without returns, or with losses, there is no telling."""
    *lower, main = series
    whole, last = steps
    says = by_fact(last != "holds") if whole == "holds" else "unclear"
    enough = facts.enough_rank(variants, series, evidence)
    return Claim(
        id="returns_diminish",
        group="rank",
        says=says,
        outcome="holds_with_losses" if (says, last) == ("holds", "fails") else says,
        words={"enough": _name(enough), "main": _name(main), "share": _trained("share", enough, main)},
        tests=tuple(key_of.distance(variants[at].key) for at in lower),
    )


def _name(at: int) -> Word:
    return ("text", f"ablations.variants.{at}.name")


def _trained(how: str, one: int, other: int) -> Word:
    """Return the parameters that one variant trains beside another's, as a `share` or how many `times`."""
    return (how, *(f"ablations.variants.{at}.trainable" for at in (one, other)))
