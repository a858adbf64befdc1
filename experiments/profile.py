"""The profile: one TOML file that is the whole truth of a run."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from experiments.errors import UserError
from experiments.frozen import Frozen
from experiments.sections.ablations import AblationsSection
from experiments.sections.audit import AuditSection
from experiments.sections.captioner import AnyCaptionerSection
from experiments.sections.captions import CaptionsSection
from experiments.sections.cnn import CnnSection
from experiments.sections.data_sets import DataSetsSection, data_sets_section
from experiments.sections.evidence import EvidenceSection
from experiments.sections.generation import GenerationSection
from experiments.sections.images import ImagesSection
from experiments.sections.lora import LoraSection
from experiments.sections.photos import PhotosSection
from experiments.sections.variants import VariantsSection
from experiments.sections.vit import VitSection
from experiments.sections.zero_shot import ZeroShotSection

DEFAULT = "offline"


class Profile(Frozen):
    """Everything that a run depends on besides code and data; `name` is the file's name."""

    name: str
    description: str
    images: ImagesSection
    photos: PhotosSection
    captioner: AnyCaptionerSection
    lora: LoraSection
    generation: GenerationSection
    captions: CaptionsSection
    variants: VariantsSection
    ablations: AblationsSection
    evidence: EvidenceSection
    audit: AuditSection
    zero_shot: ZeroShotSection
    cnn: CnnSection
    vit: VitSection

    @property
    def data_sets(self) -> DataSetsSection:
        """The section of a stage without options of its own, so that no file has it."""
        return data_sets_section(self.images, self.photos)


def active(environ: os._Environ[str] | dict[str, str] = os.environ) -> str:
    """Return the name of the active profile: Quarto's own QUARTO_PROFILE, or the default."""
    return environ.get("QUARTO_PROFILE") or DEFAULT


def load(name: str, root: Path) -> Profile:
    """Read ``profiles/<name>.toml`` under `root`.

    Raises:
        UserError: if there is no such file, or for each thing in it that is not allowed.
    """
    path = root / "profiles" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.toml"))) or "none"
        raise UserError(f"There is no profile {name!r} in profiles/: the profiles are {known}.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"profiles/{path.name} is not valid TOML: {error}.") from error
    if "name" in content:
        raise UserError(f"profiles/{path.name}: name is not a key of a profile; the file's name is its name.")
    try:
        # Through JSON, where an array is what a tuple looks like: strict types would refuse a list.
        return Profile.model_validate_json(json.dumps({"name": name, **content}, default=str))
    except ValidationError as error:
        raise UserError("\n".join(_sentence(path.name, problem) for problem in error.errors())) from error


def _sentence(file: str, problem: Any) -> str:
    """Say in one sentence which key is wrong, what was found there and what is allowed."""
    key, fields = _key_and_fields(problem["loc"])
    context = problem.get("ctx", {})
    tag = f"{key}.{context.get('discriminator', '').strip(chr(39))}"
    match problem["type"]:
        case "extra_forbidden":
            allowed = ", ".join(name for name in fields if "." in key or name != "name")
            return f"profiles/{file}: {key} is not a known key; allowed here: {allowed}."
        case "missing":
            return f"profiles/{file}: {key} is missing; it is required."
        case "union_tag_not_found":
            return f"profiles/{file}: {tag} is missing; it is required."
        case "union_tag_invalid":
            return (
                f"profiles/{file}: {tag} is {context['tag']!r}; allowed is one of {context['expected_tags']}."
            )
        case _:
            rule = problem["msg"].removeprefix("Value error, ")
            rule = rule[0].lower() + rule[1:]
            return f"profiles/{file}: {key} is {json.dumps(problem['input'])}; {rule}."


def _key_and_fields(location: tuple[str | int, ...]) -> tuple[str, list[str]]:
    """Return the key at pydantic's `location` as the profile writes it, and the keys allowed beside it.

    A location also holds the tag of each union passed through, which is no key of the file.
    """
    models: list[type[BaseModel]] = [Profile]
    key, fields = "", list(Profile.model_fields)
    for step in location:
        if isinstance(step, int):
            key += f"[{step}]"
            continue
        fields = [name for model in models for name in model.model_fields]
        tagged = [model for model in models if step in get_args(_annotation(model, "kind"))]
        if tagged and step not in fields:
            models = tagged
            continue
        key = f"{key}.{step}".lstrip(".")
        models = [inner for model in models for inner in _models_in(_annotation(model, step))]
    return key, fields


def _annotation(model: type[BaseModel], field: str) -> Any:
    return model.model_fields[field].annotation if field in model.model_fields else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
