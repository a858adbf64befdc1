"""What was found of one statement of the brief, before it is joined with the statement."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from experiments.audit.brief import STATEMENTS
from experiments.results.audit import AuditedClaim, Topic, Unit, Verdict
from pipeline.result import Estimate


@dataclass(frozen=True)
class Finding:
    """The fields of `AuditedClaim` that do not come from the brief."""

    verdict: Verdict
    reason: str
    unit: Unit
    origin: str
    found: int | float | Estimate | None = None
    found_text: str | None = None
    derived: Mapping[str, int | float] = field(default_factory=dict)


def setting(name: str, found: int | float, unit: Unit, origin: str) -> Finding:
    """Compare an option of this run with the brief's, whatever model it is an option of."""
    if covers(name, found):
        return Finding("agrees", "same_setting", unit, origin, found)
    return Finding("differs", "other_setting", unit, origin, found)


def covers(name: str, figure: float) -> bool:
    """Tell whether a figure is among those that the words of the statement called `name` cover."""
    statement = STATEMENTS[name]
    assert statement.low is not None and statement.high is not None
    return statement.low <= figure <= statement.high


def claim(name: str, topic: Topic, finding: Finding) -> AuditedClaim:
    """Join a finding with the statement called `name`."""
    statement = STATEMENTS[name]
    return AuditedClaim(
        id=name,
        topic=topic,
        what=statement.what,
        unit=finding.unit,
        stated_text=statement.text,
        stated=statement.stated,
        stated_low=statement.low,
        stated_high=statement.high,
        found=finding.found,
        found_text=finding.found_text,
        origin=finding.origin,
        derived=dict(finding.derived),
        verdict=finding.verdict,
        reason=finding.reason,
    )
