"""Whether prompts are there twice, and whether the text tower can read them to their end."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.classification.bridge import MINILM, MODEL, TOKENS
from experiments.config.zero_shot import (
    HUB,
    LOCAL_FOLDER,
    ImagenetBridge,
    OpenClipTower,
    RandomTower,
    ZeroShotConfig,
)
from experiments.datasets.downloads import unpacked
from experiments.models.libraries import open_clip_library
from experiments.preflight.findings import Findings
from pipeline.errors import first_few


def findings_of_prompts(config: ZeroShotConfig, classes: Sequence[str], downloads: Path) -> Findings:
    """Look for prompts that are there twice, and for classes whose name makes one too long."""
    remarks = [
        f"The prompt set {prompts.name!r} holds {template!r} twice, so that it counts twice."
        for prompts in config.prompt_sets
        for template in dict.fromkeys(prompts.templates)
        if prompts.templates.count(template) > 1
    ]
    tokenize = _tokenizer(config.tower, downloads)
    longest = max((template for prompts in config.prompt_sets for template in prompts.templates), key=len)
    # A text fills all tokens that there are if another word more changes nothing.
    texts = {name: longest.replace("{}", name) for name in classes if tokenize}
    cut = [name for name, text in texts.items() if (tokenize([text]) == tokenize([f"{text} and"])).all()]
    if cut:
        named = first_few(cut, 3, ", ")
        remarks.append(f"Classes whose names are so long that the text tower cuts prompts off: {named}.")
    return Findings(remarks=tuple(remarks))


def _tokenizer(tower: OpenClipTower | ImagenetBridge | RandomTower, downloads: Path) -> Any:
    """Return the text tower's tokenizer, None if it would have to be fetched."""
    library = open_clip_library()
    match tower:
        case ImagenetBridge():
            folder = unpacked(MINILM, downloads) / MODEL
            options = {"context_length": TOKENS, "local_files_only": True}
            return library.tokenizer.HFTokenizer(str(folder), **options) if folder.is_dir() else None
        case RandomTower():
            return library.SimpleTokenizer(context_length=77)
    is_elsewhere = tower.model.startswith((HUB, LOCAL_FOLDER))
    architecture = None if is_elsewhere else library.get_model_config(tower.model)
    is_here = architecture is not None and "hf_tokenizer_name" not in architecture["text_cfg"]
    return library.get_tokenizer(tower.model) if is_here else None
