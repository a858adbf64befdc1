"""The pipeline as data: every stage, what it reads, and how closely a fresh run must agree with it."""

from collections.abc import Mapping
from dataclasses import replace

from experiments.lending import CAPTIONER, IMAGES, PHOTOS, ZERO_SHOT
from experiments.profile import Profile
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
from pipeline.stage import Stage, pipeline

_JUDGED = ("zero_shot", "vit", "cnn", "align", "lora", "generate", "variants")
_AUDITED = (*_JUDGED, "captions", "ablations", "evidence")

STAGES = pipeline(
    Stage(
        name="data_sets",
        function="experiments.datasets.inspection:data_sets",
        result=DataSets,
        config="data_sets",  # empty: the section of the images says where they are fetched from
        data=(IMAGES, PHOTOS),
    ),
    Stage(
        name="zero_shot",
        function="experiments.classification.zero_shot:zero_shot",
        result=ZeroShot,
        config="zero_shot",
        data=(IMAGES, ZERO_SHOT),
        parallel=True,
        tolerance=0.005,
    ),
    Stage(
        name="cnn",
        function="experiments.classification.cnn:cnn",
        result=TrainedClassifier,
        config="cnn",
        data=(IMAGES,),
        parallel=True,
        tolerance=0.01,
    ),
    Stage(
        name="vit",
        function="experiments.classification.vit:vit",
        result=TrainedClassifier,
        config="vit",
        data=(IMAGES,),
        parallel=True,
        tolerance=0.015,
    ),
    Stage(
        name="align",
        function="experiments.captioning.align:align",
        result=Aligned,
        config="captioner",
        data=(IMAGES, PHOTOS, CAPTIONER),
        parallel=True,
        tolerance=0.03,
    ),
    Stage(
        name="lora",
        function="experiments.captioning.lora:lora",
        result=Lora,
        config="lora",
        data=(PHOTOS,),
        inputs=("align",),
        artefacts=("align",),
        parallel=True,
        tolerance=0.1,
    ),
    Stage(
        name="generate",
        function="experiments.captioning.generate:generate",
        result=Generated,
        config="generation",
        data=(PHOTOS,),
        inputs=("align", "lora"),
        artefacts=("align", "lora"),
        parallel=True,
        tolerance=0.05,
    ),
    Stage(
        name="captions",
        function="experiments.captioning.compare:captions",
        result=Comparison,
        config="captions",
        inputs=("generate",),
        tolerance=0.15,
    ),
    Stage(
        name="variants",
        function="experiments.captioning.variants:variants",
        result=Variants,
        config="variants",
        data=(IMAGES, PHOTOS),
        inputs=("align", "lora", "generate"),
        artefacts=("align", "lora"),
        parallel=True,
        tolerance=0.1,
    ),
    Stage(
        name="ablations",
        function="experiments.captioning.ablations:ablations",
        result=Ablations,
        config="ablated",  # the section [ablations], with the captions' language
        inputs=("align", "generate", "variants"),
        costs=("variants",),
        tolerance=0.05,
    ),
    Stage(
        name="evidence",
        function="experiments.evidence.evidence:evidence",
        result=Evidence,
        config="family",  # the section [evidence], with the tests that the other sections declare
        inputs=("data_sets", *_JUDGED),
        optional=_JUDGED,
        tolerance=0.1,
    ),
    Stage(
        name="audit",
        function="experiments.audit.audit:audit",
        result=Audit,
        config="audit",
        inputs=("data_sets", *_AUDITED),
        optional=_AUDITED,
        costs=("zero_shot", "lora"),
        tolerance=2.0,
    ),
)


def stages_of(profile: Profile) -> Mapping[str, Stage]:
    """Return the stages that a profile has the sections of, each without the data and inputs that it has not.

    Raises:
        ValueError: if a stage needs the result of one that the profile has not.
    """
    stages = [stage for stage in STAGES.values() if getattr(profile, stage.config) is not None]
    there = {stage.name for stage in stages}
    return pipeline(
        *(
            replace(
                stage,
                data=tuple(data for data in stage.data if getattr(profile, data.name) is not None),
                inputs=tuple(name for name in stage.inputs if name in there or name not in stage.optional),
                optional=tuple(name for name in stage.optional if name in there),
            )
            for stage in stages
        )
    )
