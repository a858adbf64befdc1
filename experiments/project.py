"""One profile of one project folder: what every question about results is asked of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import profile
from experiments.stages import STAGES, Stage


@dataclass(frozen=True)
class Project:
    """A project folder with one profile loaded.

    `root` holds the code and the profiles; `results` the result files of this profile; `cache` what
    can be made again; `downloads` what came from elsewhere.
    """

    root: Path
    profile: Any
    stages: Mapping[str, Stage]
    results: Path
    cache: Path
    downloads: Path


def open_project(name: str | None = None, root: Path | None = None) -> Project:
    """Open the project in `root` (default: the current folder) with profile `name` (default: active).

    Raises:
        UserError: if the profile does not exist or is not valid.
    """
    root = root or Path.cwd()
    name = name or profile.active()
    return Project(
        root=root,
        profile=profile.load(name, root),
        stages=STAGES,
        results=root / "results" / name,
        cache=root / ".cache" / name,
        downloads=root / ".cache" / "downloads",
    )
