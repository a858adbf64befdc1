"""What the runner lends to a stage besides its profile section and its inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments.assets import Archive
from experiments.datasets.images import ClassifiedImages
from experiments.processes import ALONE, Processes

Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, note)``; `done` and `total` count equal shares of the work.

`note` is empty, or something worth a line of its own in a log."""


@dataclass(frozen=True)
class Context:
    """The surroundings of one stage run.

    `images` loads the profile's classification images (slow the first time, checked against pinned
    hashes). `fetch` returns the folder that holds an archive's unpacked files, downloaded and checked
    the first time. `scratch` is an existing folder under `.cache/` that belongs to this stage at this key:
    whatever a killed run left there (a checkpoint) the next run finds. `shared` is the folder under
    `.cache/` for what survives a change of key, such as downloads and embeddings. Paths in a profile start
    at `root`. `processes` are those that run the stage together; the main one alone writes.
    """

    images: Callable[[], ClassifiedImages]
    fetch: Callable[[Archive], Path]
    scratch: Path
    shared: Path
    progress: Progress
    root: Path = field(default=Path(), kw_only=True)
    processes: Processes = field(default=ALONE, kw_only=True)
