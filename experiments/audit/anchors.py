"""Published accuracies held against the run, where it used the very weights."""

from experiments.audit.published import PUBLISHED, Published
from experiments.audit.run import Run
from experiments.audit.verdicts import held_against
from experiments.results.audit import Anchor
from experiments.results.zero_shot import PromptSet, ZeroShot

TEMPLATES = 18
"""How many prompts a class the published zero-shot figures are made with."""


def anchors(run: Run, tolerance: float) -> dict[str, Anchor]:
    """Return every published figure with its verdict, by its id."""
    return {name: _anchor(name, published, run, tolerance) for name, published in PUBLISHED.items()}


def _anchor(name: str, published: Published, run: Run, tolerance: float) -> Anchor:
    prompts, verdict = None, "not_comparable"
    if not run.is_cifar10:
        reason = "other_images"
    elif not published.weights:
        reason = "not_repeated"
    elif run.zero_shot_weights not in published.weights:
        reason = "other_weights"
    else:
        reason, prompts = "very_weights", _prompts(run.zero_shot)
        verdict = held_against(prompts.top1, published.value - tolerance, published.value + tolerance)
    return Anchor(
        id=name,
        model=published.model,
        value=published.value,
        source=published.source,
        tolerance=tolerance,
        comparable_with="zero_shot" if prompts else None,
        measured=prompts.top1 if prompts else None,
        templates=len(prompts.templates) if prompts else None,
        verdict=verdict,
        reason=reason,
    )


def _prompts(result: ZeroShot) -> PromptSet:
    """Return the prompt set that is nearest in number to the published ones; of equals, the first."""
    return min(result.prompt_sets, key=lambda prompts: abs(len(prompts.templates) - TEMPLATES))
