"""What the report claims of low-rank adaptation: its share, its price, and what rank and targets changed.

Each way of tuning was trained once, so that a claim is of that training and never of the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from experiments.audit.brief import STATEMENTS
from experiments.results import key_of
from experiments.results.ablations import Ablations, Variant
from experiments.results.evidence import Evidence
from experiments.results.lora import Lora
from reporting import caption_facts as facts
from reporting.claims import Claim, Leaning, Says, Word, by_fact, by_test, leaning, together

_SMALL = 0.1
_ALIKE: Mapping[facts.Order, Says] = {"less": "holds", "more": "fails", "unclear": "unclear"}
_COSTS = (
    ("kept", "saved_bytes", "rough_bytes"),
    ("time", "seconds_per_step", "rough_duration"),
    ("memory", "peak_bytes", "rough_bytes"),
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
        words={"share": ("rough_share", "lora.trainable/lora.total")},
        facts=("lora.trainable", "lora.total"),
    )
    yield _summary(values)
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


def _summary(values: Mapping[str, Any]) -> Claim:
    """Say what the adapter takes, and whether it can be switched off."""
    ablations: Ablations | None = values.get("ablations")
    tested = ablations is not None and bool(facts.adapters_of(ablations.variants))
    return Claim(
        id="summary_adapter",
        group="summary",
        says=by_fact(ablations is None or ablations.off_is_base),
        outcome="" if tested else "untested",
        words={"kept": ("rough_bytes", "lora.adapter_bytes")},
        facts=("lora.adapter_bytes", *(("ablations.off_is_base",) if tested else ())),
    )


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
            "main": _name(variants, main),
            "epochs": ("count", "lora.epochs"),
            "rate": ("decimal", "lora.learning_rate"),
            "slowest": _name(variants, slowest),
            "highest": ("rough", f"ablations.variants.{slowest}.last_loss"),
            "fastest": _name(variants, fastest),
            "lowest": ("rough", f"ablations.variants.{fastest}.last_loss"),
            "full": _name(variants, full),
            "share": ("rough_share", f"ablations.variants.{full}.learning_rate/lora.learning_rate"),
        },
        facts=("lora.learning_rate", f"ablations.variants.{full}.learning_rate"),
    )


def _variants(lora: Lora, variants: Sequence[Variant], evidence: Evidence) -> Iterator[Claim]:
    main, full = lora.position_among(variants), facts.full_of(variants)
    yield from _forgetting(variants, main, evidence)
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
            words={
                "fewer": _name(variants, at),
                "all": _name(variants, main),
                "share": _trained("rough_share", at, main),
            },
        )


def _forgetting(variants: Sequence[Variant], main: int | None, evidence: Evidence) -> Iterator[Claim]:
    """Yield what each training forgot of what the base could name, all together, and of the adapter alone."""
    tests = {key_of.forgotten(each.key): at for at, each in enumerate(variants)}
    tests = {test: at for test, at in tests.items() if test in evidence.tests}
    names = {test: _name(variants, at) for test, at in tests.items()}
    for test, at in tests.items():
        forgets = partial(by_test, evidence, test, lower=True, good=False, words={"name": names[test]})
        yield forgets(id=f"{variants[at].key}_forgets", wording="forgets", group="forgetting")
        if at == main:
            yield forgets(id="summary_forgets", group="summary")
            yield forgets(id="adapter_forgets", group="forgetting")
    if tests:
        found: dict[str, Leaning] = {test: leaning(evidence, test, "higher") for test in tests}
        yield together(found, names, id="forgetting", group="forgetting")


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
                good={"less": True, "more": False}.get(facts.cost(*costs)),
                words={"ours": (how, ours), "theirs": (how, theirs)},
                facts=(ours, theirs),
            )
    key = variants[full].key
    distance, held_out = key_of.distance(key), key_of.held_out(key)
    yield by_test(evidence, distance, lower=True, good=True, id="lora_closer_than_full", group=group)
    yield by_test(evidence, held_out, good=True, id="lora_forgets_less_than_full", group=group)


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
    if whole.says == "holds":  # else there are no returns that could diminish
        yield _returns(variants, [*lower, main], evidence, last.says)


def _rank_step(claim: str, at: int, main: int, variants: Sequence[Variant], evidence: Evidence) -> Claim:
    return by_test(
        evidence,
        key_of.distance(variants[at].key),
        lower=True,
        id=claim,
        good=True,
        wording="rank_step",
        group="rank",
        words={"low": _name(variants, at), "high": _name(variants, main)},
    )


def _returns(variants: Sequence[Variant], series: Sequence[int], evidence: Evidence, last: Says) -> Claim:
    """Say whether the returns that rank has diminish, by its last step."""
    *lower, main = series
    enough = facts.enough_rank(variants, series, evidence)
    return Claim(
        id="returns_diminish",
        group="rank",
        says=by_fact(last != "holds"),
        outcome="holds_with_losses" if last == "fails" else "",
        good=last == "holds",
        words={
            "enough": _name(variants, enough),
            "main": _name(variants, main),
            "share": _trained("rough_share", enough, main),
        },
        tests=tuple(key_of.distance(variants[at].key) for at in lower),
    )


def _name(variants: Sequence[Variant], at: int) -> Word:
    return ("quoted" if "," in variants[at].name else "text", f"ablations.variants.{at}.name")


def _trained(how: str, one: int, other: int) -> Word:
    """Return the parameters that one variant trains as a share of another's."""
    return (how, "/".join(f"ablations.variants.{at}.trainable" for at in (one, other)))
