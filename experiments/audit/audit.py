"""Stage `audit`: the brief's claims, published figures, known failures and assets, held against the run."""

from collections.abc import Mapping
from typing import Any

from experiments.audit.anchors import anchors
from experiments.audit.assets import assets
from experiments.audit.brief import STATEMENTS
from experiments.audit.caption_claims import caption_claims
from experiments.audit.checks import checks
from experiments.audit.classifier_claims import classifier_claims
from experiments.audit.finding import Finding, claim
from experiments.audit.lora_arithmetic import LoraArithmetic, lora_arithmetic
from experiments.audit.run import Run, run_of
from experiments.audit.tuning_claims import tuning_claims
from experiments.config.comparison import AuditConfig
from experiments.context import Context
from experiments.results.audit import Audit, AuditedClaim, Topic


def audit(config: AuditConfig, inputs: Mapping[str, Any], context: Context) -> Audit:
    """Audit the results of all other experiments."""
    run = run_of(inputs)
    sizes = lora_arithmetic()
    context.progress(1, 2, "parameters of the brief's adapter counted")
    result = audited(run, sizes, config.tolerance)
    context.progress(2, 2, "")
    return result


def audited(run: Run, sizes: LoraArithmetic, tolerance: float) -> Audit:
    """Hold everything that is stated against a run; accuracies agree up to `tolerance`."""
    return Audit(
        shared=run.shared,
        claims=_claims(run, sizes, tolerance),
        published=anchors(run, tolerance),
        checks=checks(run),
        assets=assets(run),
    )


def _claims(run: Run, sizes: LoraArithmetic, tolerance: float) -> dict[str, AuditedClaim]:
    """Return every claim in the brief's order.

    Raises:
        KeyError: if a statement has not been looked into.
    """
    topics: dict[Topic, dict[str, Finding]] = {
        "tuning": tuning_claims(run, sizes),
        "captions": caption_claims(run),
        "classification": classifier_claims(run, tolerance),
    }
    found = {
        name: claim(name, topic, finding)
        for topic, findings in topics.items()
        for name, finding in findings.items()
    }
    return {name: found[name] for name in STATEMENTS}
