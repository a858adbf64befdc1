"""What a stage is lent besides its config and its inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.config.fields import PrecisionChoice
from experiments.datasets.downloads import Archive
from experiments.datasets.images import ClassifiedImages
from experiments.datasets.photos import CaptionedPhotos
from experiments.models.processes import Processes
from experiments.results.classification import Precision
from pipeline.result import Attachment

Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, note)``; `done` and `total` count equal shares of the work.

`note` is empty, or something worth a line of its own in a log."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """The surroundings of one stage run.

    `images` and `photos` load the profile's classification images and captioned photos (slow the first time,
    checked against pinned hashes). `fetch` returns the folder that holds an archive's unpacked files,
    downloaded and checked the first time. `manifest` returns, of the user's own files that a part of the
    profile names, the hash of their manifest and their number, None where it names none.

    `scratch` is an existing folder under `.cache/` that belongs to this stage at this key: whatever a killed
    run left there (a checkpoint) the next run finds. `shared` is the folder under `.cache/` for what survives
    a change of key, such as features. `artefact` returns the scratch folder of one of the stage's inputs with
    what that stage left there (a model, an adapter). `precision` returns what the stage computes at, given
    what its config asks for: where it runs again only for what it left, that of its stored result. `attach`
    writes a small file, such as a picture that the report shows, beside the stage's result. Paths in a
    profile start at `root`. `processes` are those that run the stage together; the main one alone writes.
    """

    images: Callable[[], ClassifiedImages]
    photos: Callable[[], CaptionedPhotos]
    fetch: Callable[[Archive], Path]
    manifest: Callable[[str], tuple[str, int] | None]
    scratch: Path
    shared: Path
    artefact: Callable[[str], Path]
    precision: Callable[[PrecisionChoice], Precision]
    attach: Callable[[str, bytes], Attachment]
    progress: Progress
    root: Path
    processes: Processes
