"""Published accuracies on CIFAR-10's test images, held against the run where it used the very weights."""

from dataclasses import dataclass

from experiments.audit.run import Run, if_there, there
from experiments.results.audit import Anchor, AnchorReason, Verdict
from experiments.results.zero_shot import PromptSet, ZeroShot
from pipeline.result import Estimate

TEMPLATES = 18
"""How many prompts a class the published zero-shot figures are made with."""

_OPEN_CLIP = "open_clip, docs/openclip_results.csv"
_BENCHMARK = "CLIP_benchmark, benchmark/benchmark.csv"
_CCT = "SHI-Labs/Compact-Transformers"


@dataclass(frozen=True)
class Published:
    """One figure: the model, the accuracy, where it is published.

    `weights` are the texts by which a zero-shot result names these very weights. They are empty for
    networks trained from scratch, whose training nobody repeats exactly, and for figures that no run of
    this project can repeat.
    """

    model: str
    value: float
    source: str
    weights: tuple[str, ...] = ()


def _open_clip(model: str, tag: str) -> tuple[str, ...]:
    """Return the weights under the model's name and under that with its activation.

    The stage computes with the activation that the weights' tag declares, whichever name the profile gives.
    """
    return f"open_clip {model}, {tag}", f"open_clip {model}-quickgelu, {tag}"


PUBLISHED = {
    "clip_rn50": Published("CLIP RN50 (openai)", 0.7157, _OPEN_CLIP, _open_clip("RN50", "openai")),
    "clip_rn101": Published("CLIP RN101 (openai)", 0.8078, _OPEN_CLIP, _open_clip("RN101", "openai")),
    "clip_b32": Published("CLIP ViT-B/32 (openai)", 0.8983, _OPEN_CLIP, _open_clip("ViT-B-32", "openai")),
    "clip_b32_paper": Published(
        "CLIP ViT-B/32 (openai)",
        0.913,
        "Radford et al. 2021, the paper's own table",
        _open_clip("ViT-B-32", "openai"),
    ),
    "clip_b16": Published("CLIP ViT-B/16 (openai)", 0.9077, _OPEN_CLIP, _open_clip("ViT-B-16", "openai")),
    "clip_l14": Published("CLIP ViT-L/14 (openai)", 0.9559, _OPEN_CLIP, _open_clip("ViT-L-14", "openai")),
    "laion2b_b32": Published(
        "CLIP ViT-B/32 (laion2b_s34b_b79k)", 0.9358, _OPEN_CLIP, _open_clip("ViT-B-32", "laion2b_s34b_b79k")
    ),
    "laion400m_b32": Published(
        "CLIP ViT-B/32 (laion400m_e32), with QuickGELU",
        0.9074,
        _BENCHMARK,
        _open_clip("ViT-B-32", "laion400m_e32"),
    ),
    "laion400m_b32_gelu": Published("CLIP ViT-B/32 (laion400m_e32), without QuickGELU", 0.8840, _BENCHMARK),
    "datacomp_b32": Published(
        "ViT-B/32 (datacomp_xl)", 0.9561, _OPEN_CLIP, _open_clip("ViT-B-32", "datacomp_xl_s13b_b90k")
    ),
    "airbench94": Published("airbench94 (CNN, 9.9 epochs)", 0.9401, "KellerJordan/cifar10-airbench"),
    "cct": Published("CCT-2/3x2 (200 epochs)", 0.8917, _CCT),
    "vit_lite": Published("ViT-Lite-7/4", 0.9138, _CCT),
    "vit_patch4": Published("ViT, patch 4 (200 epochs)", 0.80, "kentaroy47/vision-transformers-cifar10"),
}
"""Every anchor by its id."""


def anchors(run: Run, tolerance: float) -> dict[str, Anchor]:
    """Return every published figure with its verdict, by its id, as far as the results for it are there."""
    if not run.has_classification:
        return {}
    found = {
        name: if_there(_anchor, name, published, run, tolerance) for name, published in PUBLISHED.items()
    }
    return {name: anchor for name, anchor in found.items() if anchor is not None}


def held_against(measured: Estimate, stated: float, tolerance: float) -> Verdict:
    """Hold an interval against what is stated, with the tolerance to both sides.

    It agrees if it lies within that range, differs if it lies wholly outside; otherwise the sample is too
    small to tell.
    """
    low, high = stated - tolerance, stated + tolerance
    if low <= measured.low and measured.high <= high:
        return "agrees"
    return "differs" if measured.high < low or high < measured.low else "cannot_tell"


def _anchor(name: str, published: Published, run: Run, tolerance: float) -> Anchor:
    reason = _reason(published, run)
    prompts = _prompts(there(run.zero_shot)) if reason == "very_weights" else None
    return Anchor(
        id=name,
        model=published.model,
        value=published.value,
        source=published.source,
        tolerance=tolerance,
        comparable_with="zero_shot" if prompts else None,
        measured=prompts.top1 if prompts else None,
        templates=len(prompts.templates) if prompts else None,
        verdict=held_against(prompts.top1, published.value, tolerance) if prompts else "not_comparable",
        reason=reason,
    )


def _reason(published: Published, run: Run) -> AnchorReason:
    if not run.is_cifar10:
        return "other_images"
    if not published.weights:
        return "not_repeated"
    return "very_weights" if run.zero_shot_weights in published.weights else "other_weights"


def _prompts(result: ZeroShot) -> PromptSet:
    """Return the prompt set that is nearest in number to the published ones; of equals, the first."""
    return min(result.prompt_sets, key=lambda prompts: abs(len(prompts.templates) - TEMPLATES))
