"""Whether a prompt is there twice."""

from collections.abc import Sequence

from experiments.config.zero_shot import Prompts
from experiments.preflight.findings import Findings


def findings_of_prompts(sets: Sequence[Prompts]) -> Findings:
    """Look for prompts that are there twice."""
    return Findings(
        remarks=tuple(
            f"The prompt set {prompts.name!r} holds {template!r} twice, so that it counts twice."
            for prompts in sets
            for template in dict.fromkeys(prompts.templates)
            if prompts.templates.count(template) > 1
        )
    )
