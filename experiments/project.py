"""This project as the engine runs it: a profile, the stages, and what they are lent."""

from pathlib import Path

from experiments import profile
from experiments.lending import lend
from experiments.profile import Profile
from experiments.stages import stages_of
from pipeline.project import Project

BETWEEN = ("experiments.lending", "experiments.datasets.loading")
"""What loads data for a stage, whatever their kind, and lends it all else."""
PACKAGES = (
    "numpy", "scipy", "torch", "torchvision", "timm", "open_clip_torch", "transformers", "peft", "sacrebleu",
    "datasets", "gguf",
)  # fmt: skip
"""The libraries that results depend on."""
CODE = ("pipeline", "experiments", "profiles", "requirements.txt", "constraints.txt")


def open_project(name: str | None = None, root: Path | None = None) -> Project[Profile]:
    """Open the project in `root` (default: the current folder) with profile `name` (default: active).

    Raises:
        UserError: if the profile does not exist or is not valid.
    """
    root = root or Path.cwd()
    name = name or profile.active()
    loaded = profile.load(name, root)
    return Project(
        name=name,
        root=root,
        profile=loaded,
        stages=stages_of(loaded),
        results=root / "results" / name,
        cache=root / ".cache" / name,
        downloads=root / ".cache" / "downloads",
        lend=lend,
        between=BETWEEN,
        packages=PACKAGES,
        code=CODE,
    )
