"""The profile: one TOML file that is the whole truth of a run."""

import os
from collections.abc import Mapping
from pathlib import Path

from experiments.config.captioner import AnyCaptionerConfig
from experiments.config.comparison import AblationsConfig, AuditConfig, CaptionsConfig, EvidenceConfig
from experiments.config.data_sets import DataSetsConfig, data_sets_config
from experiments.config.images import ImagesConfig
from experiments.config.photos import PhotosConfig
from experiments.config.training import CnnConfig, VitConfig
from experiments.config.tuning import GenerationConfig, LoraConfig, VariantsConfig
from experiments.config.zero_shot import ZeroShotConfig
from pipeline import options
from pipeline.errors import UserError
from pipeline.frozen import Frozen

DEFAULT = "offline"
IN_CACHE = ("downloads", "hashes", "prepared", "reproduction", "uv")
"""Folders of `.cache/` that are not a profile's."""


class Profile(Frozen):
    """Everything that a run depends on besides code and data; `name` is the file's name."""

    name: str
    description: str
    images: ImagesConfig
    photos: PhotosConfig
    captioner: AnyCaptionerConfig
    lora: LoraConfig
    generation: GenerationConfig
    captions: CaptionsConfig
    variants: VariantsConfig
    ablations: AblationsConfig
    evidence: EvidenceConfig
    audit: AuditConfig
    zero_shot: ZeroShotConfig
    cnn: CnnConfig
    vit: VitConfig

    @property
    def data_sets(self) -> DataSetsConfig:
        """The config of a stage without options of its own, so that no file has it."""
        return data_sets_config(self.images, self.photos)


def active(environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the active profile: Quarto's own QUARTO_PROFILE, or the default."""
    return environ.get("QUARTO_PROFILE") or DEFAULT


def load(name: str, root: Path) -> Profile:
    """Read ``profiles/<name>.toml`` under `root`.

    Raises:
        UserError: if there is no such file, or for each thing in it that is not allowed.
    """
    if name in IN_CACHE or Path(name).name != name:
        raise UserError(f"{name!r} cannot be a profile's name, since its folders would be another's.")
    path = root / "profiles" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.toml"))) or "none"
        raise UserError(f"There is no profile {name!r} in profiles/: the profiles are {known}.")
    return options.read(path, Profile, name=name)
