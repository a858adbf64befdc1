"""The literature: the keys of `references.bib`, and what to cite where a name is printed."""

import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.files import read_text
from reporting.markdown import Markdown

FILE = "references.bib"
"""The bibliography that `_quarto.yml` names."""

_ENTRY = re.compile(r"^\s*@(?!comment|string|preamble)\w+\s*\{\s*([^\s,]+)\s*,", re.MULTILINE | re.IGNORECASE)
_NAMED: Mapping[str, str] = {
    "EfficientNet": "tan2019efficientnet",
    "SmolLM2": "allal2025smollm2",
    "GPT-2|gpt2": "radford2019gpt2",
    "MiniLM": "wang2020minilm",
    "ImageNet": "deng2009imagenet",
    "ImageNet bridge": "norouzi2014conse",
    "CLIP": "radford2021clip",
    "ViT|vit-": "dosovitskiy2021vit",
    "CIFAR": "krizhevsky2009cifar",
    "Flickr30k": "young2014flickr30k",
}
"""What is to be cited where text of the results names it."""


def keys(root: Path) -> list[str]:
    """Return the keys of the bibliography, none where there is no such file."""
    file = root / FILE
    return _ENTRY.findall(read_text(file)) if file.is_file() else []


def cites(text: str) -> Markdown:
    """Return the citations of what a text of the results names, as they stand behind it."""
    found = "; ".join(f"@{key}" for names, key in _NAMED.items() if re.search(names, text))
    return Markdown(f" [{found}]" if found else "")
