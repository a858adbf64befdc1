"""The pipeline as data: every stage, what it reads, and how closely a fresh run must agree with it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.datasets.fingerprints import fingerprint, manifest_of
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
from pipeline.project import Project
from pipeline.stage import Data, Stage, pipeline

# What loads data or is lent is imported when a stage runs: asking about freshness must stay fast.
if TYPE_CHECKING:
    from experiments.context import Context
    from experiments.datasets.images import ClassifiedImages
    from experiments.datasets.photos import CaptionedPhotos
    from pipeline.runner import Call


def _load_images(call: "Call") -> "ClassifiedImages":
    from experiments.datasets.loading import load_images

    project = call.project
    return load_images(
        project.profile.images, project.root, project.downloads, prepared_folder(project), call.say
    )


def prepared_folder(project: Project[Profile]) -> Path:
    """Return the folder for what is made once of a profile's classification images, whichever profile."""
    return project.downloads.with_name("prepared") / keys.data_of(project, IMAGES)[:16]


def _load_photos(call: "Call") -> "CaptionedPhotos":
    from experiments.datasets.loading import load_photos

    project = call.project
    return load_photos(project.profile.photos, project.root, project.downloads, call.say)


IMAGES = Data("images", fingerprint, manifest_of, _load_images)
PHOTOS = Data("photos", fingerprint, manifest_of, _load_photos)
CAPTIONER = Data("captioner", fingerprint, manifest_of)
ZERO_SHOT = Data("zero_shot", fingerprint, manifest_of)


def lend(call: "Call") -> "Context":
    """Return what a stage is lent when it is called."""
    from experiments.context import Context
    from experiments.datasets.downloads import fetch
    from experiments.models.processes import ALONE

    processes: Any = call.processes
    return Context(
        images=lambda: call.load("images"),
        photos=lambda: call.load("photos"),
        fetch=lambda archive: fetch(archive, call.project.downloads, call.say),
        manifest=call.manifest,
        scratch=call.scratch,
        shared=call.shared,
        artefact=call.artefact,
        attach=call.attach,
        progress=call.progress,
        root=call.project.root,
        processes=processes or ALONE,
    )


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
        parallel=True,
        tolerance=0.1,
    ),
    Stage(
        name="ablations",
        function="experiments.captioning.ablations:ablations",
        result=Ablations,
        config="ablations",
        inputs=("align", "generate", "variants"),
        tolerance=0.05,
    ),
    Stage(
        name="evidence",
        function="experiments.evidence.evidence:evidence",
        result=Evidence,
        config="evidence",
        inputs=("data_sets", "zero_shot", "vit", "cnn", "align", "lora", "generate", "variants"),
        tolerance=0.1,
    ),
    Stage(
        name="audit",
        function="experiments.audit.audit:audit",
        result=Audit,
        config="audit",
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
