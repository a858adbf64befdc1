"""The pipeline as data: every stage, what it reads, and how closely a fresh run must agree with it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.datasets.fingerprints import identity, manifest_of, recorded_names
from experiments.datasets.loading import load_images, load_photos, loader
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
from pipeline import keys
from pipeline.closure import Code
from pipeline.project import Project
from pipeline.stage import Data, Stage, pipeline

# What loads data or is lent is imported when a stage runs: asking about freshness must stay fast.
if TYPE_CHECKING:
    from experiments.config.fields import PrecisionChoice
    from experiments.context import Context
    from experiments.datasets.images import ClassifiedImages
    from experiments.datasets.photos import CaptionedPhotos
    from experiments.results.classification import Precision
    from pipeline.runner import Call


def _load_images(call: "Call") -> "ClassifiedImages":
    project = call.project
    ready = prepared_folder(project, call.ingredients.data[IMAGES.name], call.code)
    return load_images(project.profile.images, project.root, project.downloads, ready, call.say)


def prepared_folder(project: Project[Profile], fingerprint: str, code: Code) -> Path:
    """Return the folder for what is made once of classification images with this fingerprint, by this code.

    It serves every profile that reads the same images.
    """
    prepared = keys.prepared_digest(project, IMAGES, fingerprint, code)
    return project.downloads.with_name("prepared") / prepared[:16]


def _load_photos(call: "Call") -> "CaptionedPhotos":
    project = call.project
    recorded = recorded_names(keys.manifest_path(project, PHOTOS))
    return load_photos(project.profile.photos, project.root, project.downloads, call.say, recorded)


IMAGES = Data("images", identity, manifest_of, loader, _load_images)
PHOTOS = Data("photos", identity, manifest_of, loader, _load_photos)
CAPTIONER = Data("captioner", identity, manifest_of)
ZERO_SHOT = Data("zero_shot", identity, manifest_of)


def lend(call: "Call") -> "Context":
    """Return what a stage is lent when it is called."""
    from experiments.context import Context
    from experiments.datasets.downloads import fetch
    from experiments.models.processes import ALONE

    def precision(choice: "PrecisionChoice") -> "Precision":
        from experiments.models.precision import chosen

        stored: Any = call.precision
        return stored or chosen(choice)

    def artefact(source: str) -> "Path":
        from experiments.captioning.captioners import saved
        from experiments.config.captioner import EncoderDecoderConfig

        folder, captioner = call.artefact(source), call.project.profile.captioner
        if source == "align" and isinstance(captioner, EncoderDecoderConfig) and captioner.local:
            saved.point(folder, call.project.root / captioner.local)  # it may lie elsewhere by now
        return folder

    processes: Any = call.processes
    return Context(
        images=lambda: call.load("images"),
        photos=lambda: call.load("photos"),
        fetch=lambda archive: fetch(archive, call.project.downloads, call.say),
        manifest=call.manifest,
        code_of=call.code_of,
        scratch=call.scratch,
        shared=call.shared,
        artefact=artefact,
        precision=precision,
        attach=call.attach,
        progress=call.progress,
        root=call.project.root,
        processes=processes or ALONE,
    )


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


def stages_of(profile: "Profile") -> Mapping[str, Stage]:
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
