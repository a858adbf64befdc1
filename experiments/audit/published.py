"""Published accuracies on CIFAR-10's test images, as data."""

from dataclasses import dataclass

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
