"""The pipeline as data: every stage, what it reads, and how closely a fresh run must agree with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.frozen import Frozen
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.audit import Audit
from experiments.results.captions import Comparison
from experiments.results.data_sets import DataSets
from experiments.results.evidence import Evidence
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.trained import TrainedClassifier
from experiments.results.variants import Variants
from experiments.results.zero_shot import ZeroShot


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    `function` is ``"module:name"``, a string so that asking about freshness never imports torch.
    `section` names the part of the profile that the stage is given, `data` the parts that describe
    what it reads from outside: data sets, and models that may be a user's own files. Several processes run
    a `parallel` stage together; the main process alone runs any other. `tolerance` is the largest
    difference of a headline figure that `reproduce` accepts, in the figure's own unit; it is there for
    machines whose arithmetic differs, since on the same machine the stages repeat themselves exactly.
    """

    name: str
    function: str
    result: type[Frozen]
    section: str
    data: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    parallel: bool = False
    tolerance: float = 0.0


def pipeline(*stages: Stage) -> Mapping[str, Stage]:
    """Return stages by name, each after its inputs.

    Raises:
        ValueError: if a name occurs twice or an input does not stand before its user.
    """
    ordered: dict[str, Stage] = {}
    for stage in stages:
        if stage.name in ordered or any(name not in ordered for name in stage.inputs):
            raise ValueError(f"stage {stage.name} occurs twice or stands before its inputs {stage.inputs}")
        ordered[stage.name] = stage
    return ordered


STAGES = pipeline(
    Stage(
        name="data_sets",
        function="experiments.datasets.inspection:data_sets",
        result=DataSets,
        section="data_sets",  # empty: the section of the images says where they are fetched from
        data=("images", "photos"),
    ),
    Stage(
        name="zero_shot",
        function="experiments.classification.zero_shot:zero_shot",
        result=ZeroShot,
        section="zero_shot",
        data=("images", "zero_shot"),
        parallel=True,
        tolerance=0.005,
    ),
    Stage(
        name="cnn",
        function="experiments.classification.cnn:cnn",
        result=TrainedClassifier,
        section="cnn",
        data=("images",),
        parallel=True,
        tolerance=0.01,
    ),
    Stage(
        name="vit",
        function="experiments.classification.vit:vit",
        result=TrainedClassifier,
        section="vit",
        data=("images",),
        parallel=True,
        tolerance=0.015,
    ),
    Stage(
        name="align",
        function="experiments.captioning.align:align",
        result=Aligned,
        section="captioner",
        data=("images", "photos", "captioner"),
        parallel=True,
        tolerance=0.03,
    ),
    Stage(
        name="lora",
        function="experiments.captioning.lora:lora",
        result=Lora,
        section="lora",
        data=("photos",),
        inputs=("align",),
        parallel=True,
        tolerance=0.1,
    ),
    Stage(
        name="generate",
        function="experiments.captioning.generate:generate",
        result=Generated,
        section="generation",
        data=("photos",),
        inputs=("align", "lora"),
        parallel=True,
        tolerance=0.05,
    ),
    Stage(
        name="captions",
        function="experiments.captioning.compare:captions",
        result=Comparison,
        section="captions",
        inputs=("generate",),
        tolerance=0.15,
    ),
    Stage(
        name="variants",
        function="experiments.captioning.variants:variants",
        result=Variants,
        section="variants",
        data=("images", "photos"),
        inputs=("align", "lora", "generate"),
        parallel=True,
        tolerance=0.1,
    ),
    Stage(
        name="ablations",
        function="experiments.captioning.ablations:ablations",
        result=Ablations,
        section="ablations",
        inputs=("align", "generate", "variants"),
        tolerance=0.05,
    ),
    Stage(
        name="evidence",
        function="experiments.evidence.evidence:evidence",
        result=Evidence,
        section="evidence",
        inputs=("data_sets", "zero_shot", "vit", "cnn", "align", "lora", "generate", "variants"),
        tolerance=0.1,
    ),
    Stage(
        name="audit",
        function="experiments.audit.audit:audit",
        result=Audit,
        section="audit",
        inputs=(
            "data_sets",
            "zero_shot",
            "cnn",
            "vit",
            "align",
            "lora",
            "generate",
            "captions",
            "variants",
            "ablations",
            "evidence",
        ),
        tolerance=2.0,
    ),
)
