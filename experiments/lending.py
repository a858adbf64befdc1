"""What stands between the engine and a stage: the data that it loads, and what it is lent.

What these functions themselves say counts as the code of every stage; what they call does where a stage
reaches it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.datasets.fingerprints import identity, manifest_of, recorded_names
from experiments.datasets.loaders import loader
from experiments.datasets.loading import fetch_images, load_images, load_photos
from experiments.profile import Profile
from pipeline import keys
from pipeline.closure import Code
from pipeline.project import Project
from pipeline.stage import Data

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


IMAGES = Data("images", identity, manifest_of, loader, _load_images, fetch_images)
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
