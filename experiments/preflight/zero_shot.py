"""Whether the zero-shot tower is at hand, and whether the prompts fit it and the classes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from experiments.classification import open_clip_weights
from experiments.classification.bridge import MINILM, MODEL, TOKENS
from experiments.config.zero_shot import (
    HUB,
    LOCAL_FOLDER,
    ImagenetBridge,
    OpenClipTower,
    Prompts,
    RandomTower,
    ZeroShotConfig,
)
from experiments.datasets.downloads import unpacked
from experiments.models.libraries import open_clip_library
from experiments.preflight.findings import Findings
from pipeline.errors import UserError, first_few

Tokenizer = Callable[[list[str]], torch.Tensor]


def has_tower(config: ZeroShotConfig, root: Path, downloads: Path) -> bool:
    """Tell whether the zero-shot tower can be loaded without a download."""
    match config.tower:
        case ImagenetBridge():
            return unpacked(MINILM, downloads).is_dir()
        case OpenClipTower() as tower:
            try:
                return open_clip_weights.missing(tower, root, lambda: "not asked") is None
            except UserError:
                return False
        case _:
            return True


def tokenizer_of(config: ZeroShotConfig, downloads: Path) -> Tokenizer | None:
    """Return the text tower's tokenizer, None if it is not on this machine."""
    library, tower = open_clip_library(), config.tower
    match tower:
        case ImagenetBridge():
            folder = unpacked(MINILM, downloads) / MODEL
            if not folder.is_dir():
                return None
            return library.tokenizer.HFTokenizer(str(folder), context_length=TOKENS, local_files_only=True)
        case RandomTower():
            return library.SimpleTokenizer(context_length=77)
    architecture = _configuration(tower)
    if architecture is None or "hf_tokenizer_name" in architecture["text_cfg"]:
        return None
    return library.get_tokenizer(tower.model)


def findings_of_prompts(
    sets: Sequence[Prompts], classes: Sequence[str], tokenizer: Tokenizer | None
) -> Findings:
    """Look for prompts that are there twice, and for classes whose name a prompt cannot hold."""
    remarks = [
        f"The prompt set {prompts.name!r} holds {template!r} twice, so that it counts twice."
        for prompts in sets
        for template in dict.fromkeys(prompts.templates)
        if prompts.templates.count(template) > 1
    ]
    longest = max((template for prompts in sets for template in prompts.templates), key=len)
    cut = [name for name in classes if tokenizer and _is_cut(longest.replace("{}", name), tokenizer)]
    if cut:
        remarks.append(
            "Classes whose prompts the text tower cuts off, since their names are too long: "
            f"{first_few(cut, 3, ', ')}."
        )
    return Findings(remarks=tuple(remarks))


def _configuration(tower: OpenClipTower) -> dict[str, Any] | None:
    """Return open_clip's configuration of a model, None if it has none here; it would fetch a hub's."""
    folder = tower.local if tower.model.startswith(LOCAL_FOLDER) else None
    is_elsewhere = folder is not None and not (folder / open_clip_weights.CONFIGURATION).is_file()
    if is_elsewhere or tower.model.startswith(HUB):
        return None
    return open_clip_library().get_model_config(tower.model)


def _is_cut(text: str, tokenizer: Tokenizer) -> bool:
    """Tell whether a text fills all tokens that there are: another word more changes nothing then."""
    return torch.equal(tokenizer([text]), tokenizer([f"{text} and"]))
