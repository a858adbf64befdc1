"""Reading every input that a profile names, and saying all that is wrong at once."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.captioning.captioners.encoder_decoder import load_encoder_decoder
from experiments.classification.pretrained import pretrained_tower
from experiments.config.captioner import AnyCaptionerConfig, EncoderDecoderConfig
from experiments.config.zero_shot import OpenClipTower
from experiments.datasets.fingerprints import recorded_names
from experiments.datasets.photos import CaptionedPhotos
from experiments.datasets.problems import few_of_each_kind
from experiments.evidence.declared import too_few_resamples
from experiments.lending import PHOTOS
from experiments.preflight import presence
from experiments.preflight.captioner import (
    findings_of_lengths,
    findings_of_shape,
    shape_of,
    token_counts,
)
from experiments.preflight.disk import findings_of_disk
from experiments.preflight.findings import Findings, Notes, Value, counted
from experiments.preflight.images import findings_of_images, findings_of_networks
from experiments.preflight.language import findings_of_language, findings_of_words
from experiments.preflight.photos import read_photos
from experiments.preflight.prompts import findings_of_prompts
from experiments.preflight.read_images import Progress, read_images
from experiments.preflight.sizes import impossible, impossible_tower
from experiments.preflight.times import lines_of_times
from experiments.profile import Profile
from pipeline import freshness, keys, progress
from pipeline.errors import UserError
from pipeline.project import Project


@dataclass(frozen=True)
class Checked:
    """What was found, a line each on how long stages took, and the stages that a run would compute."""

    findings: Findings
    times: tuple[str, ...]
    to_run: tuple[str, ...]


def check(project: Project[Profile], console: Console) -> Checked:
    """Check the data, models and disk of a profile, and look up how long its stages took.

    Nothing is downloaded but the first rows of a data set on a hub, and no result is written.
    """
    profile, root, downloads, notes = project.profile, project.root, project.downloads, Notes()

    def attempt(what: str, read: Callable[[Any, Path, Path, Progress], Value], config: Any) -> Value | None:
        with progress.shown(what, console) as report:
            return notes.attempt(
                f"the {what}",
                lambda: read(config, root, downloads, lambda done, total: report(done, total, "")),
            )

    images = profile.images and attempt("images", read_images, profile.images)
    if profile.images is not None:
        config = profile.images
        train = max(0, images.counts("train").total() - config.validation) if images else 0
        if images:
            notes.add("the images", lambda: findings_of_images(images, config))
        notes.add("the networks", lambda: findings_of_networks(profile.cnn, profile.vit, train))
    recorded = recorded_names(keys.manifest_path(project, PHOTOS))
    read = partial(read_photos, recorded=recorded)
    found, photos = (profile.photos and attempt("photos", read, profile.photos)) or (Findings(), None)
    notes.parts.append(found)
    notes.add(
        "what comes from hubs", lambda: Findings(problems=tuple(presence.missing(profile, root, downloads)))
    )
    if profile.captions is not None and photos is not None:
        language = profile.captions.language
        texts = [text for photo in (*photos.tuning, *photos.evaluation) for text in photo.references]
        notes.add("the captions' language", lambda: findings_of_language(language, texts))
        notes.add("the captions' words", lambda: findings_of_words(texts))
    if profile.captioner is not None:
        _check_captioner(profile.captioner, photos, project, notes)
    if profile.zero_shot is not None:
        zero_shot, classes = profile.zero_shot, images.classes if images else ()
        notes.add("the prompts", lambda: findings_of_prompts(zero_shot, classes, downloads))
        tower = zero_shot.tower
        if isinstance(tower, OpenClipTower) and tower.local is not None:
            notes.attempt("the tower", lambda: _load_tower(tower, root))
    problem = too_few_resamples(profile.family)
    notes.parts.append(Findings(problems=(problem,) if problem else ()))
    to_run = _to_run(project)
    # What an input left in the cache is made again if it is gone, so that its room counts as well.
    writing = project.with_inputs(to_run)
    notes.add("disk", lambda: findings_of_disk(writing, _free(project.cache)))
    return Checked(notes.found(), tuple(lines_of_times(project, to_run)), to_run)


def _load_tower(tower: OpenClipTower, root: Path) -> None:
    if sentence := impossible_tower(tower, root):
        raise UserError(sentence)
    pretrained_tower(tower, root)


def _check_captioner(
    config: AnyCaptionerConfig, photos: CaptionedPhotos | None, project: Project[Profile], notes: Notes
) -> None:
    """Note how options and captions fit the captioner, as far as its files are here."""
    if isinstance(config, EncoderDecoderConfig):
        sentence = notes.attempt("the captioner", lambda: impossible(config, project.root))
        if sentence:  # not even its tokenizer could be loaded
            notes.parts.append(Findings(problems=(sentence,)))
            return
    captions = [photo.references[0] for photo in photos.tuning] if photos else []
    shape = notes.attempt("the captioner", lambda: shape_of(config, project.root))
    lengths = notes.attempt("captions", lambda: token_counts(config, project.root, captions)) or []
    if shape is not None:
        notes.add("the captioner", lambda: findings_of_shape(shape, project.profile))
        notes.add("captions", lambda: findings_of_lengths(lengths, shape))
        if isinstance(config, EncoderDecoderConfig) and config.local is not None:
            # Of a user's own files nobody has looked at the weights; those of a hub are as published.
            notes.attempt("the captioner", lambda: load_encoder_decoder(config, project.root))


def lines(checked: Checked, profile: str) -> Iterator[str]:
    """Yield what was read, what to know, how long stages took, and what to put right."""
    found = checked.findings
    yield f"profile {profile}"
    yield from _list("Read:", found.read)
    yield from _list("Remarks:", few_of_each_kind(found.remarks))
    yield from checked.times
    yield from _list("Problems:", few_of_each_kind(found.problems))
    if found.problems:
        yield f"{counted(len(found.problems), 'problem')}: put them right and check again."
    else:
        yield f"No problem was found: python -m experiments run --profile {profile}"


def _to_run(project: Project[Profile]) -> tuple[str, ...]:
    """Return the stages that are not fresh; all, if files are not there, which has been said."""
    try:
        states = freshness.states(project, project.stages)
    except UserError:
        return tuple(project.stages)
    return tuple(name for name, state in states.items() if state.state != "fresh")


def _list(heading: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield heading
        yield from (f"  {sentence}" for sentence in sentences)


def _free(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, or of the next above it that is there."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.is_dir())).free
