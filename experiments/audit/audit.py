"""Stage `audit`: the brief's claims, published figures, known failures and assets, held against the run."""

from collections.abc import Mapping
from typing import Any

from experiments.audit.assets import assets
from experiments.audit.checks import checks
from experiments.audit.claims import audited_claims
from experiments.audit.lora_arithmetic import LoraArithmetic, lora_arithmetic
from experiments.audit.published import anchors
from experiments.audit.run import Run, run_of
from experiments.config.comparison import AuditConfig
from experiments.context import Context
from experiments.results.audit import Audit


def audit(config: AuditConfig, inputs: Mapping[str, Any], context: Context) -> Audit:
    """Audit the results of all other experiments, as far as they are there."""
    run = run_of(inputs)
    sizes = lora_arithmetic() if run.has_captioning else None
    context.progress(1, 2, "parameters of the brief's adapter counted")
    result = audited(run, sizes, config.tolerance)
    context.progress(2, 2, "")
    return result


def audited(run: Run, sizes: LoraArithmetic | None, tolerance: float) -> Audit:
    """Hold everything that is stated against a run; accuracies agree up to `tolerance`.

    Without `sizes` nothing is said of the brief's adapter.
    """
    return Audit(
        shared=run.shared,
        claims=audited_claims(run, sizes, tolerance),
        published=anchors(run, tolerance),
        checks=checks(run),
        assets=assets(run),
    )
