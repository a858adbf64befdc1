"""Reading every input that a profile names, and telling all that is wrong at once."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from experiments.datasets.photos import CaptionedPhotos
from experiments.preflight import photos as seen_photos
from experiments.preflight import presence
from experiments.preflight.at_hand import findings_at_hand
from experiments.preflight.captioner import findings_of_lengths, findings_of_shape, token_counts
from experiments.preflight.disk import findings_of_disk
from experiments.preflight.findings import Findings, Notes
from experiments.preflight.images import findings_of_images, findings_of_networks, side_of
from experiments.preflight.prompts import findings_of_prompts, tokeniser
from experiments.preflight.reading_images import see
from experiments.preflight.recorded import RecordedTimes, recorded_times
from experiments.preflight.seen import SeenImages
from experiments.preflight.shapes import shape_of
from pipeline import freshness, progress
from pipeline.errors import UserError
from pipeline.project import Project


@dataclass(frozen=True)
class Checked:
    """What was found, how long stages took when they were last run, and those that a run would compute."""

    findings: Findings
    times: RecordedTimes
    to_run: tuple[str, ...]


def check(project: Project, console: Console) -> Checked:
    """Check the data, models and disk of a profile, and look up how long its stages took.

    Nothing is downloaded but the first rows of a data set on a hub, and no result is written.
    """
    return _Check(project, console).run()


@dataclass(frozen=True)
class _Check:
    """A check of one profile; `notes` gathers what is found."""

    project: Project
    console: Console
    notes: Notes = field(default_factory=Notes)

    def run(self) -> Checked:
        project, notes = self.project, self.notes
        profile, downloads = project.profile, project.downloads
        images = self._images()
        photos = self._photos()
        notes.take("what comes from hubs", self._presence)
        notes.take("the models", lambda: findings_at_hand(profile, project.root, downloads))
        self._networks(images)
        shape = notes.result("the captioner", lambda: shape_of(profile.captioner, project.root))
        lengths = self._lengths(photos)
        if shape is not None:
            notes.take("the captioner", lambda: findings_of_shape(shape, profile))
            notes.take("captions", lambda: findings_of_lengths(lengths, shape))
        classes, sets = images.classes if images else (), profile.zero_shot.prompt_sets
        notes.take(
            "the prompts",
            lambda: findings_of_prompts(sets, classes, tokeniser(profile.zero_shot, downloads)),
        )
        to_run = self._to_run()
        # What an input left in the cache is made again if it is gone, so that its room counts as well.
        writing = project.with_inputs(to_run)
        notes.take("disk", lambda: findings_of_disk(writing, _free(project.cache)))
        return Checked(notes.found(), recorded_times(project), to_run)

    def _images(self) -> SeenImages | None:
        config = self.project.profile.images
        with progress.shown("images", self.console) as report:
            seen = self.notes.result(
                "the images",
                lambda: see(config, self.project.root, self.project.downloads, _quiet(report)),
            )
        if seen is not None:
            self.notes.take("the images", lambda: findings_of_images(seen, config))
        return seen

    def _photos(self) -> CaptionedPhotos | None:
        config = self.project.profile.photos
        with progress.shown("photos", self.console) as report:
            seen = self.notes.result(
                "the photos",
                lambda: seen_photos.see(config, self.project.root, self.project.downloads, _quiet(report)),
            )
        if seen is None:
            return None
        self.notes.parts.append(seen.findings)
        return seen.photos

    def _presence(self) -> Findings:
        project = self.project
        return Findings(problems=tuple(presence.missing(project.profile, project.root, project.downloads)))

    def _networks(self, images: SeenImages | None) -> None:
        profile = self.project.profile
        side, train = side_of(profile.images), images.count("train") if images else 0
        self.notes.take("the networks", lambda: findings_of_networks(profile.cnn, profile.vit, side, train))

    def _lengths(self, photos: CaptionedPhotos | None) -> list[int]:
        """Return the tokens of the captions to tune on."""
        captions = [photo.references[0] for photo in photos.tuning] if photos else []
        config, root = self.project.profile.captioner, self.project.root
        return self.notes.result("captions", lambda: token_counts(config, root, captions)) or []

    def _to_run(self) -> tuple[str, ...]:
        """Return the stages that are not fresh; all, if files are not there, which has been told."""
        stages = self.project.stages
        try:
            states = freshness.states(self.project, stages)
        except UserError:
            return tuple(stages)
        return tuple(name for name, state in states.items() if state.state != "fresh")


def _quiet(report: Callable[[int, int, str], None]) -> Callable[[int, int], None]:
    return lambda done, total: report(done, total, "")


def _free(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, or of the next above it that is there."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free
