"""Rehearsing every heavy stage of a profile whose models are on this machine."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from experiments.checking.at_hand import has_captioner, has_tower
from experiments.checking.clock import one_core, speed_up
from experiments.checking.findings import Notes
from experiments.checking.rehearsal import rehearse_classifier, rehearse_zero_shot
from experiments.checking.rehearsed_captioner import rehearse_captioner
from experiments.checking.times import Paces, sped_up
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
    faster = speed_up(torch.get_num_threads())
    profile, root, downloads = project.profile, project.root, project.downloads
    networks, tower, photos = material.for_networks, material.for_tower, material.for_captioner
    cnn_pace, vit_pace, zero_shot, captioner = None, None, None, None
    with one_core():
        if networks:
            report(0, 4, "a few steps of cnn")
            cnn_pace = notes.result("cnn", lambda: rehearse_classifier(cnn, profile.cnn, networks))
            report(1, 4, "a few steps of vit")
            vit_pace = notes.result("vit", lambda: rehearse_classifier(vit, profile.vit, networks))
        if tower and has_tower(profile, root, downloads):
            report(2, 4, "a few images of zero_shot")
            zero_shot = notes.result(
                "zero_shot", lambda: rehearse_zero_shot(profile.zero_shot, tower, downloads, root)
            )
        if tower and photos and has_captioner(profile, root, downloads):
            report(3, 4, "a few steps and captions of the captioner")
            captioner = notes.result(
                "the captioner", lambda: rehearse_captioner(profile, photos.tuning, tower.classes, downloads)
            )
        report(4, 4, "")
    return Paces(
        read=read,
        zero_shot=zero_shot and sped_up(zero_shot, faster),
        cnn=cnn_pace and sped_up(cnn_pace, faster),
        vit=vit_pace and sped_up(vit_pace, faster),
        captioner=captioner and sped_up(captioner, faster),
    )
