"""The profile: one TOML file that is the whole truth of a run."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from experiments.config.captioner import AnyCaptionerConfig
from experiments.config.comparison import (
    AblationsConfig,
    AblationsOptions,
    AuditConfig,
    CaptionsConfig,
    EvidenceConfig,
    EvidenceOptions,
)
from experiments.config.data_sets import DataSetsConfig, data_sets_config
from experiments.config.images import ImagesConfig, side_of
from experiments.config.photos import PhotosConfig
from experiments.config.training import CnnConfig, VitConfig
from experiments.config.tuning import GenerationConfig, LoraConfig, VariantsConfig, rank_key
from experiments.config.zero_shot import ZeroShotConfig
from experiments.results.classification import CLASSIFIERS
from pipeline import options
from pipeline.errors import UserError
from pipeline.frozen import Frozen

DEFAULT = "offline"
IN_CACHE = ("analysed", "downloads", "hashes", "prepared", "reproduction", "uv")
"""What of `.cache/` is not a profile's."""


NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
"""What a profile can be called: its name is that of files, and of folders, which `clean` deletes."""


CLASSIFICATION = ("zero_shot", "cnn", "vit")
CAPTIONING = ("photos", "captioner", "lora", "generation", "captions")
COMPARING = ("variants", "ablations")


class Profile(Frozen):
    """Everything that a run depends on besides code and data; `name` is the file's name.

    What a profile leaves out is not run and not reported: a half (the sections of the classifiers with their
    images, or those of captioning), any one classifier, or the other ways of tuning (`variants` and
    `ablations`). The images may be there without a classifier, for the captioner alone.
    """

    name: str
    description: str
    images: ImagesConfig | None = None
    photos: PhotosConfig | None = None
    captioner: AnyCaptionerConfig | None = None
    lora: LoraConfig | None = None
    generation: GenerationConfig | None = None
    captions: CaptionsConfig | None = None
    variants: VariantsConfig | None = None
    ablations: AblationsOptions | None = None
    evidence: EvidenceOptions
    audit: AuditConfig
    zero_shot: ZeroShotConfig | None = None
    cnn: CnnConfig | None = None
    vit: VitConfig | None = None

    @property
    def data_sets(self) -> DataSetsConfig:
        """The config of a stage without options of its own, so that no file has it."""
        return data_sets_config(self.images, self.photos)

    @property
    def ablated(self) -> AblationsConfig | None:
        """The section `[ablations]`, with the language that another section tells; None without it."""
        language = self.captions.language if self.captions else "en"
        return self.ablations and AblationsConfig(**self.ablations.model_dump(), language=language)

    @property
    def family(self) -> EvidenceConfig:
        """The section `[evidence]`, with the tests that the other sections declare."""
        rank = self.lora.r if self.lora else 0
        tuned = self.variants.keys(rank) if self.variants else ()
        return EvidenceConfig(
            **self.evidence.model_dump(),
            classifiers=tuple(stage for stage in CLASSIFIERS if getattr(self, stage) is not None),
            prompt_sets=len(self.zero_shot.prompt_sets) if self.zero_shot else 0,
            captions=self.generation is not None,
            variants=tuned,
            adapter=rank_key(rank) if tuned else None,
            held_out=self.captioner is not None and self.captioner.held_out > 0,
            language=self.captions.language if self.captions else "en",
        )

    def problem(self) -> str | None:
        """Say in a phrase what sections need that are there, None if what is there can be run."""
        has = {name for name in type(self).model_fields if getattr(self, name) is not None}
        classifiers = [name for name in CLASSIFICATION if name in has]
        captioning = [name for name in (*CAPTIONING, *COMPARING) if name in has]
        problem = None
        if classifiers and self.images is None:
            problem = f"[{classifiers[0]}] needs [images] to classify: add them, or leave it out"
        elif captioning and not has.issuperset(CAPTIONING):
            lacking = ", ".join(f"[{name}]" for name in CAPTIONING if name not in has)
            problem = f"[{captioning[0]}] needs {lacking} as well: add that, or leave all of captioning out"
        elif len(has.intersection(COMPARING)) == 1:
            problem = "[variants] and [ablations] belong together: add the other, or leave both out"
        elif not (classifiers or captioning):
            problem = "there is nothing to run: add [images] and a classifier, or [photos] and a [captioner]"
        elif self.captioner is not None and self.images is None:
            problem = self.captioner.without_images()
        return problem or self._misfit()

    def _misfit(self) -> str | None:
        """Say in a phrase which network that is trained from scratch does not fit the images' size."""
        side = side_of(self.images) if self.images else 0
        for name in ("cnn", "vit"):
            config = getattr(self, name)
            if config is not None and (phrase := config.misfit(side)):
                return f"{name}.{phrase}"
        return None


def active(environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the active profile: Quarto's own QUARTO_PROFILE, or the default."""
    return environ.get("QUARTO_PROFILE") or DEFAULT


def load(name: str, root: Path) -> Profile:
    """Read ``profiles/<name>.toml`` under `root`.

    Raises:
        UserError: if there is no such file, for each thing in it that is not allowed, or if a section needs
            another.
    """
    if name in IN_CACHE or not re.fullmatch(NAME, name):
        raise UserError(
            f"{name!r} cannot be a profile's name: take another, of letters, digits, - and _, 100 at most."
        )
    path = root / "profiles" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.toml"))) or "none"
        raise UserError(f"There is no profile {name!r} in profiles/: the profiles are {known}.")
    loaded = options.read(path, Profile, root, name=name)
    if problem := loaded.problem():
        raise UserError(f"profiles/{path.name}: {problem}.")
    return loaded
