"""What a result implies, as pure functions: the words are the templates'."""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.results.audit import Shared


def by_versions(envelopes: Mapping[str, Any], stages: Sequence[str]) -> list[list[str]]:
    """Return the stages in groups that were run with the same versions of the same libraries."""
    groups: list[list[str]] = []
    for stage in stages:
        for group in groups:
            if envelopes[group[0]].provenance.versions == envelopes[stage].provenance.versions:
                group.append(stage)
                break
        else:
            groups.append([stage])
    return groups


def packages(envelopes: Mapping[str, Any], stages: Sequence[str]) -> list[str]:
    """Return every library that a run recorded, in the order of its first mention."""
    return list(dict.fromkeys(name for stage in stages for name in envelopes[stage].provenance.versions))


def of_the_brief(shared: Shared) -> tuple[list[str], list[str]]:
    """Return the parts of the brief's experiments that a run has as well, and those that it has not.

    The layers of another captioner are others in any case. Of what no result tells, nothing is said.
    """
    told = {name: there for name, there in shared if there is not None}
    parts = {name: there for name, there in told.items() if name != "targets" or shared.captioner}
    return [name for name in parts if parts[name]], [name for name in parts if not parts[name]]
