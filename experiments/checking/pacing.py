"""Rehearsing every heavy stage of a profile whose models are on this machine."""

from collections.abc import Callable
from dataclasses import dataclass

from experiments.checking.at_hand import has_captioner, has_tower
from experiments.checking.findings import Notes
from experiments.checking.rehearsal import Stage, rehearse_classifier, rehearse_zero_shot
from experiments.checking.rehearsed_captioner import rehearse_captioner
from experiments.checking.times import ClassifierPace, Paces
from experiments.classification.cnn import cnn
from experiments.classification.vit import vit
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.photos import CaptionedPhotos
from experiments.project import Project


@dataclass(frozen=True)
class Material:
    """What there is to rehearse with: some images, the photos; None where they or the options do not fit."""

    for_networks: ClassifiedImages | None
    for_tower: ClassifiedImages | None
    for_captioner: CaptionedPhotos | None


def paces(
    project: Project, material: Material, read: float, notes: Notes, report: Callable[[int, int, str], None]
) -> Paces:
    """Rehearse what can be; a rehearsal that fails is noted as a problem. `read` is the time of reading."""
    profile, root, downloads = project.profile, project.root, project.downloads

    def classifier(name: str, stage: Stage, done: int) -> ClassifierPace | None:
        report(done, 4, f"a few steps of {name}")
        images = material.for_networks
        if images is None:
            return None
        return notes.result(
            f"stage {name}, which was rehearsed,",
            lambda: rehearse_classifier(stage, getattr(profile, name), images),
        )

    found = {"cnn": classifier("cnn", cnn, 0), "vit": classifier("vit", vit, 1)}
    report(2, 4, "a few images of zero_shot")
    zero_shot, captioner = None, None
    images, photos = material.for_tower, material.for_captioner
    if images and has_tower(profile, root, downloads):
        zero_shot = notes.result(
            "stage zero_shot, which was rehearsed,",
            lambda: rehearse_zero_shot(profile.zero_shot, images, downloads, root),
        )
    report(3, 4, "a few captions")
    if images and photos and has_captioner(profile, root, downloads):
        captioner = notes.result(
            "the captioner, which was rehearsed,",
            lambda: rehearse_captioner(profile, photos.tuning, images.classes, downloads),
        )
    report(4, 4, "")
    return Paces(read=read, zero_shot=zero_shot, captioner=captioner, **found)
