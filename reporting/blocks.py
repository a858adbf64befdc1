"""Every table, figure and section that a page can show, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.results.classification import CLASSIFIERS

Values = Mapping[str, Any]
"""The results of stages, by stage."""

CAPTIONING = ("align", "lora", "generate", "captions", "variants", "ablations")
ALL = (*CLASSIFIERS, *CAPTIONING, "data_sets", "evidence", "audit")


@dataclass(frozen=True)
class Block:
    """One thing on a page, filled into ``templates/<name>.md.j2``.

    `stages` are the results that it is filled from, of which at least one must be there, and all of `needs`.
    `anchors` are the identifiers of its tables and figures, by which pages refer to them; it has those
    of which `has` says so by the results. `figure` is the module in `figures/` whose `draw` makes its
    picture.
    """

    stages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()
    has: Callable[[Values, str], bool] = lambda values, anchor: True
    figure: str | None = None


def _knows_published_figures(values: Values, anchor: str) -> bool:
    published = values["audit"].published.values()
    return bool(published) and all(each.reason != "other_images" for each in published)


def _has_claims_on(values: Values, anchor: str) -> bool:
    return any(anchor == f"tbl-audit-{claim.topic}" for claim in values["audit"].claims.values())


BLOCKS = {
    "profile": Block(),
    "data": Block(("data_sets",), anchors=("tbl-data",)),
    "set_up": Block(CLASSIFIERS),
    "model_comparison": Block(CLASSIFIERS, anchors=("tbl-models",)),
    "accuracy": Block(CLASSIFIERS, anchors=("fig-accuracy",), figure="figures.accuracy"),
    "prompt_sets": Block(("zero_shot",), anchors=("tbl-prompts",)),
    "training_loss": Block(("vit", "cnn"), anchors=("fig-training-loss",), figure="figures.training_loss"),
    "per_class": Block(CLASSIFIERS, anchors=("fig-per-class",), figure="figures.per_class"),
    "confusion": Block(CLASSIFIERS, anchors=("fig-confusion",), figure="figures.confusion"),
    "observations": Block((*CLASSIFIERS, "evidence", "audit"), needs=("evidence",)),
    "lora_set_up": Block(
        ("align", "lora"), anchors=("tbl-lora",), has=lambda values, anchor: "lora" in values
    ),
    "tuning_loss": Block(("lora",), anchors=("fig-tuning-loss",), figure="figures.tuning_loss"),
    "caption_examples": Block(("captions",)),
    "caption_gallery": Block(("captions",)),
    "caption_metrics": Block(
        ("captions", "evidence"), needs=("captions", "evidence"), anchors=("tbl-caption-metrics",)
    ),
    "ablations": Block(
        ("lora", "ablations", "evidence"),
        needs=("lora", "ablations", "evidence"),
        anchors=("tbl-ablation-cost", "tbl-ablation-effect"),
    ),
    "forgetting": Block(("ablations",), anchors=("fig-forgetting",), figure="figures.forgetting"),
    "why_lora": Block(("lora", "ablations", "evidence"), needs=("lora",)),
    "how_behaviour_changes": Block(("lora", "captions", "ablations", "evidence"), needs=("evidence",)),
    "claims": Block((*CLASSIFIERS, *CAPTIONING, "evidence"), needs=("evidence",), anchors=("tbl-claims",)),
    "audit": Block(
        ("audit",),
        anchors=("tbl-audit-tuning", "tbl-audit-captions", "tbl-audit-classification"),
        has=_has_claims_on,
    ),
    "checks": Block(("audit",), anchors=("tbl-checks",)),
    "published": Block(("audit",), anchors=("tbl-published",), has=_knows_published_figures),
    "assets": Block(
        ("audit",), anchors=("tbl-assets",), has=lambda values, anchor: bool(values["audit"].assets)
    ),
    "manifests": Block(),
    "results": Block(),
    "sources": Block(),
    "versions": Block(ALL, anchors=("tbl-machines", "tbl-versions")),
    "ingredients": Block(ALL),
}
