"""What the audit found, as claims: the brief's own claims by verdict and reason, and published figures."""

from collections.abc import Iterator, Mapping

from experiments.results.audit import Audit, AuditedClaim, Verdict
from reporting import facts
from reporting.claims import Claim, Says, Word, of_the_brief, wordings

_SAYS: Mapping[Verdict, Says] = {
    "agrees": "holds",
    "differs": "fails",
    "cannot_tell": "unclear",
    "not_comparable": "not_comparable",
}


def brief_claims(audit: Audit) -> Iterator[Claim]:
    """Yield every claim of the brief: what it says is its verdict, in the wording of the audit's reason."""
    for name, entry in audit.claims.items():
        yield Claim(
            id=f"brief_{name}",
            group=of_the_brief(entry.topic),
            says=_SAYS[entry.verdict],
            outcome=entry.reason,
            found=_found(entry),
            words=_words(audit, entry),
        )


def _found(entry: AuditedClaim) -> str:
    if entry.unit == "text":
        in_words = wordings()["found_in_words"]
        return in_words.get(entry.reason, in_words[entry.verdict])
    return wordings()["found"]["at_fault" if entry.id == "caption_quality" else entry.unit]


def _words(audit: Audit, entry: AuditedClaim) -> dict[str, Word]:
    """Return the paths of what was found and derived, and what of the brief's experiments the run has not."""
    path = f"audit.claims.{entry.id}"
    return {
        "found": f"{path}.found",
        "text": f"{path}.found_text",
        "other_tuning": _missing(audit, "captioner", "targets", "photos"),
        "other_zero_shot": _missing(audit, "zero_shot", "images"),
        **{name: f"{path}.derived.{name}" for name in entry.derived},
    }


def _missing(audit: Audit, *parts: str) -> str:
    """List which of these parts of the brief's experiments the run has not, as a sentence begins."""
    missing = [part for part in facts.of_the_brief(audit.shared)[1] if part in parts]
    data_set = audit.claims.get("data_set")
    if "photos" in missing and data_set is not None and data_set.reason == "unchecked_copy":
        missing[missing.index("photos")] = "unchecked_photos"
    return " and ".join(wordings()["not_shared"][part] for part in missing).capitalize()


def published_claims(audit: Audit) -> Iterator[Claim]:
    """Yield how a model does beside its published figure, where it has the published weights."""
    for name, anchor in audit.published.items():
        if anchor.comparable_with is not None and anchor.measured is not None:
            path = f"audit.published.{name}"
            yield Claim(
                id=f"published_{name}",
                wording="published",
                group="published",
                says=_SAYS[anchor.verdict],
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
