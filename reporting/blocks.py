"""Every table, figure and section that a page can show, as data."""

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.results.classification import CLASSIFIERS

CAPTIONING = ("align", "lora", "generate", "captions", "variants", "ablations")
HALVES = ("captioning", "classification")
"""The halves of the report, of which a profile may leave one out."""
COMMON = ("data_sets", "evidence", "audit")
"""The stages that both halves have."""
ALL = (*CLASSIFIERS, *CAPTIONING, *COMMON)


@dataclass(frozen=True)
class Block:
    """One thing on a page, filled into ``templates/<name>.md.j2``.

    `stages` are the results that it is filled from: all of `needs` must be there, and one at least of those
    that it is about. `figure` is the module in `figures/` whose `draw` makes its picture.
    """

    stages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    figure: str | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """The experiments among its stages; what judges them has nothing to say without one."""
        return tuple(stage for stage in self.stages if stage not in COMMON) or self.stages


def stages_of(half: str, stages: Iterable[str]) -> list[str]:
    """Return those of `stages` that are a half's own: what classifies nothing is about captions."""
    own = (stage for stage in stages if stage not in COMMON)
    return [stage for stage in own if (stage in CLASSIFIERS) == (half == "classification")]


BLOCKS = {
    "profile": Block(),
    "cards": Block(),
    "summary": Block((*CLASSIFIERS, *CAPTIONING, "data_sets", "evidence"), needs=("evidence",)),
    "task": Block((*CLASSIFIERS, "align", "lora", "ablations", "data_sets", "evidence")),
    "data": Block(("data_sets",)),
    "set_up": Block(CLASSIFIERS),
    "model_comparison": Block(CLASSIFIERS),
    "accuracy": Block(CLASSIFIERS, figure="figures.accuracy"),
    "prompt_sets": Block(("zero_shot",)),
    "training_loss": Block(("vit", "cnn"), figure="figures.training_loss"),
    "per_class": Block(CLASSIFIERS, figure="figures.per_class"),
    "confusion_pair": Block(CLASSIFIERS, figure="figures.confusion_pair"),
    "confusion": Block(CLASSIFIERS, figure="figures.confusion"),
    "mistakes": Block(CLASSIFIERS),
    "reliability": Block((*CLASSIFIERS, "data_sets"), needs=("data_sets",), figure="figures.reliability"),
    "observations": Block((*CLASSIFIERS, "evidence", "audit"), needs=("evidence",)),
    "lora_set_up": Block(("align", "lora")),
    "tuning_loss": Block(("lora",), figure="figures.tuning_loss"),
    "caption_examples": Block(("captions",)),
    "caption_gallery": Block(("captions",)),
    "caption_change": Block(
        ("captions", "evidence"), needs=("captions", "evidence"), figure="figures.caption_change"
    ),
    "word_shifts": Block(("captions",), figure="figures.word_shifts"),
    "caption_metrics": Block(("captions", "evidence"), needs=("captions", "evidence")),
    "all_measures": Block(("captions", "evidence"), needs=("captions", "evidence")),
    "ablations": Block(
        ("lora", "ablations", "evidence"),
        needs=("lora", "ablations", "evidence"),
    ),
    "rank_effect": Block(("lora", "ablations"), needs=("lora", "ablations"), figure="figures.rank_effect"),
    "why_lora": Block(("lora", "ablations", "evidence"), needs=("lora",)),
    "how_behaviour_changes": Block(("lora", "captions", "ablations", "evidence"), needs=("evidence",)),
    "limits": Block(ALL),
    "claims": Block((*CLASSIFIERS, *CAPTIONING, "evidence"), needs=("evidence",)),
    "audit": Block(("audit",)),
    "checks": Block(("audit",)),
    "published": Block(("audit",)),
    "assets": Block(("audit",)),
    "manifests": Block(),
    "results": Block(),
    "sources": Block(),
    "versions": Block(ALL),
    "ingredients": Block(ALL),
}
