"""Reading every input that a profile names, and telling all that is wrong at once."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import torch
from rich.console import Console

from experiments import cache, presence, progress
from experiments.checking import photos as seen_photos
from experiments.checking.at_hand import findings_at_hand, to_download
from experiments.checking.captioner import findings_of_lengths, findings_of_shape, token_counts
from experiments.checking.counts import Counts, counts_of, side_of
from experiments.checking.disk import bytes_of_results, findings_of_disk
from experiments.checking.findings import Findings, Notes
from experiments.checking.images import findings_of_images, findings_of_networks
from experiments.checking.memory import findings_of_memory, peaks
from experiments.checking.networks import network_size, tower_size
from experiments.checking.pacing import Material, paces
from experiments.checking.prompts import findings_of_prompts, tokeniser
from experiments.checking.reading_images import see
from experiments.checking.rehearsal import STEPS, few
from experiments.checking.seen import SeenImages
from experiments.checking.shapes import Shape, shape_of
from experiments.checking.times import StageTime, stage_times
from experiments.datasets.photos import CaptionedPhotos
from experiments.errors import UserError
from experiments.project import Project


@dataclass(frozen=True)
class Checked:
    """What was found, and how long the heavy stages will take; those that are `fresh` will not run again."""

    findings: Findings
    times: tuple[StageTime, ...] = ()
    fresh: frozenset[str] = frozenset()


def check(project: Project, console: Console, *, rehearse: bool) -> Checked:
    """Check the data, models, disk and memory of a profile, and rehearse its stages unless that is left out.

    Nothing is downloaded but the first rows of a data set on a hub, and no result is written.
    """
    return _Check(project, console).run(rehearse)


@dataclass(frozen=True)
class _Check:
    """A check of one profile; `notes` gathers what is found."""

    project: Project
    console: Console
    notes: Notes = field(default_factory=Notes)

    def run(self, rehearse: bool) -> Checked:
        project, notes = self.project, self.notes
        profile, downloads = project.profile, project.downloads
        start = time.perf_counter()
        images = self._images()
        read = time.perf_counter() - start
        photos = self._photos()
        notes.take("what comes from hubs", self._presence)
        notes.take("the models", lambda: findings_at_hand(profile, project.root, downloads))
        networks_fit = self._networks_fit(images)
        shape = notes.result("the captioner", lambda: shape_of(profile.captioner, project.root))
        lengths = self._lengths(photos)
        captioner_fits = shape is not None and self._captioner_fits(shape, lengths)
        classes, sets = images.classes if images else (), profile.zero_shot.prompt_sets
        notes.take(
            "the prompts",
            lambda: findings_of_prompts(sets, classes, tokeniser(profile.zero_shot, downloads)),
        )
        counts = counts_of(profile, images, photos) if images else None
        if images is None or counts is None:
            what = "Disk, memory and time are not estimated before the images and photos can be used."
            notes.parts.append(Findings(remarks=(what,)))
            return Checked(notes.found())
        length = max(lengths, default=profile.generation.max_new_tokens)
        self._room(counts, shape, length, networks_fit)
        if not rehearse:
            return Checked(notes.found())
        material = Material(
            for_networks=images.few if networks_fit else None,
            for_tower=images.few,
            for_captioner=photos if captioner_fits else None,
        )
        with progress.shown("rehearsal", self.console) as report:
            times = stage_times(profile, counts, paces(project, material, read, notes, report), length)
        return Checked(notes.found(), tuple(times), self._fresh(times))

    def _images(self) -> SeenImages | None:
        section = self.project.profile.images
        networks = (self.project.profile.cnn, self.project.profile.vit)
        batch = max(few(network.batch_size, side_of(section)) for network in networks)
        with progress.shown("images", self.console) as report:
            seen = self.notes.result(
                "the images",
                lambda: see(
                    section, self.project.root, self.project.downloads, STEPS * batch, _quiet(report)
                ),
            )
        if seen is not None:
            self.notes.take("the images", lambda: findings_of_images(seen, section))
        return seen

    def _photos(self) -> CaptionedPhotos | None:
        section = self.project.profile.photos
        with progress.shown("photos", self.console) as report:
            seen = self.notes.result(
                "the photos",
                lambda: seen_photos.see(section, self.project.root, self.project.downloads, _quiet(report)),
            )
        if seen is None:
            return None
        self.notes.parts.append(seen.findings)
        return seen.photos

    def _presence(self) -> Findings:
        project = self.project
        return Findings(problems=tuple(presence.missing(project.profile, project.root, project.downloads)))

    def _networks_fit(self, images: SeenImages | None) -> bool:
        profile = self.project.profile
        side, train = side_of(profile.images), images.count("train") if images else 0
        return self.notes.take(
            "the networks", lambda: findings_of_networks(profile.cnn, profile.vit, side, train)
        )

    def _captioner_fits(self, shape: Shape, lengths: list[int]) -> bool:
        profile = self.project.profile
        fits = self.notes.take("the captioner", lambda: findings_of_shape(shape, profile))
        return self.notes.take("captions", lambda: findings_of_lengths(lengths, shape)) and fits

    def _lengths(self, photos: CaptionedPhotos | None) -> list[int]:
        """Return the tokens of the captions to tune on."""
        captions = [photo.references[0] for photo in photos.tuning] if photos else []
        section, root = self.project.profile.captioner, self.project.root
        return self.notes.result("captions", lambda: token_counts(section, root, captions)) or []

    def _room(self, counts: Counts, shape: Shape | None, length: int, networks_fit: bool) -> None:
        profile = self.project.profile
        tower = self.notes.result("the zero-shot tower", lambda: tower_size(profile.zero_shot.tower))
        sections = {"cnn": profile.cnn, "vit": profile.vit} if networks_fit else {}
        sizes = {
            name: self.notes.result(name, partial(network_size, section, counts.side, counts.classes))
            for name, section in sections.items()
        }
        networks = {name: size for name, size in sizes.items() if size is not None}
        self.notes.take(
            "disk",
            lambda: findings_of_disk(
                bytes_of_results(profile, counts, shape, tower, networks),
                to_download(profile, self.project.root, self.project.downloads),
                self._there(counts),
                shutil.disk_usage(_existing(self.project.cache)).free,
            ),
        )
        self.notes.take(
            "memory",
            lambda: findings_of_memory(peaks(profile, length, shape, tower, networks), *_memory()),
        )

    def _there(self, counts: Counts) -> int:
        """Return the bytes that earlier runs left of what a run writes."""
        folders = [self.project.cache]
        if counts.stored:
            folders.append(cache.prepared_folder(self.project))
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return sum(path.stat().st_size for path in files)

    def _fresh(self, times: list[StageTime]) -> frozenset[str]:
        try:
            states = cache.states(self.project, [each.stage for each in times])
        except UserError:  # of files that are not there, which has been told
            return frozenset()
        return frozenset(name for name, state in states.items() if state.state == "fresh")


def _quiet(report: Callable[[int, int, str], None]) -> Callable[[int, int], None]:
    return lambda done, total: report(done, total, "")


def _existing(folder: Path) -> Path:
    """Return the folder, or the next above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _memory() -> tuple[int, int, str]:
    """Return the bytes that libraries take, those that are available, and where."""
    if torch.cuda.is_available():
        return 0, torch.cuda.mem_get_info()[0], "on the GPU"
    return psutil.Process().memory_info().rss, psutil.virtual_memory().available, "on this machine"
