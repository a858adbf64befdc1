"""Whether the zero-shot tower is at hand, and whether a prompt is there twice."""

from collections.abc import Sequence
from pathlib import Path

from experiments.classification import open_clip_weights
from experiments.classification.bridge import MINILM
from experiments.config.zero_shot import ImagenetBridge, OpenClipTower, Prompts, ZeroShotConfig
from experiments.datasets.downloads import unpacked
from experiments.preflight.findings import Findings
from pipeline.errors import UserError


def has_tower(config: ZeroShotConfig, root: Path, downloads: Path) -> bool:
    """Tell whether the zero-shot tower can be loaded without a download."""
    match config.tower:
        case ImagenetBridge():
            return unpacked(MINILM, downloads).is_dir()
        case OpenClipTower() as tower:
            try:
                return open_clip_weights.missing(tower, root, lambda: "not asked") is None
            except UserError:
                return False
        case _:
            return True


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
