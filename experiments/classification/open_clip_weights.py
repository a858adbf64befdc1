"""Where the weights of open_clip's models are: on this machine, in the hub's cache there, or on the hub."""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.zero_shot import CHECKPOINT_ENDINGS, HUB, LOCAL_FOLDER, OpenClipTower
from experiments.models import hub
from experiments.models.libraries import open_clip_library
from experiments.results.source import Source
from pipeline.errors import UserError
from pipeline.files import sha256_of

CONFIGURATION = "open_clip_config.json"
CHECKPOINTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
)
"""Names of a folder's checkpoint, in the order in which open_clip prefers them."""

_OPTIONS_OF_TOKENIZERS = frozenset(("clean", "strip_sep_token", "language"))
"""What a model's configuration may tell its tokenizer: of the others, some run code or lead elsewhere."""

_IN_FOLDERS = (".safetensors", ".bin", ".pth")
_BESIDE_WEIGHTS = ("*.json", "*.txt", "*.model")
_TOKENIZER = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")


@dataclass(frozen=True)
class Weights:
    """Weights that are on this machine.

    open_clip builds `model` and loads `file`. `published` is its entry for the tag (activation function,
    preprocessing, where the weights are published), empty where there is no tag. `origin` is where
    they come from.
    """

    model: str
    file: Path
    published: Mapping[str, Any]
    origin: Source


def missing(config: OpenClipTower, root: Path, ask: Callable[[], str | None]) -> str | None:
    """Return a sentence if weights, or a text tower's tokenizer, are neither here nor to be had, else None.

    Paths start at `root`. `ask` is `hub.unreachable`, or recalls what it said. Nothing is fetched or
    written.

    Raises:
        UserError: if open_clip has no such model or no such weights.
    """
    if config.local is not None:
        return _flaw(config, root / config.local)
    sentences = (hub.missing(repository, ask) for repository in _repositories(config))
    sentence = next((sentence for sentence in sentences if sentence), None)
    return sentence and f"Of open_clip {config.model}, {config.pretrained or 'as on the hub'}: {sentence}"


def find(config: OpenClipTower, root: Path) -> Weights:
    """Return the weights that a config names, fetched from the hub if they are not on this machine.

    Raises:
        UserError: if they are unknown, missing, out of reach, or a file is not the one that was published.
    """
    if sentence := missing(config, root, hub.unreachable):
        raise UserError(sentence)
    if config.local is not None:
        path = root / config.local
        return _own(config, path) if config.own else _copy(config, path)
    found = _repository_alone(config) if config.model.startswith(HUB) else _of_the_hub(config)
    if sentence := _code(found.file.parent if config.model.startswith(HUB) else found.file):
        raise UserError(sentence)
    return found


def _of_the_hub(config: OpenClipTower) -> Weights:
    """Return the weights that a tag names, from the hub's cache or the hub."""
    entry = published(config)
    names = _names(entry)
    repository = next(_repositories(config))
    folder = hub.snapshot(repository, [(name,) for name in names])
    return Weights(
        model=config.model,
        file=next(folder / name for name in names if (folder / name).is_file()),
        published=entry,
        origin=Source(name=name_of(config), revision=folder.name, url=f"{hub.ADDRESS}/{repository.name}"),
    )


def _repositories(config: OpenClipTower) -> Iterator[hub.Repository]:
    """Yield the repository of the weights, then those that tell the kind of a text tower.

    All are at their main branch, since open_clip pins no revision.
    """
    cache = "set HF_HOME to a cache copied from elsewhere"
    if config.model.startswith(HUB):
        place = "download it elsewhere and name its folder as zero_shot.tower.model = 'local-dir:FOLDER'"
        yield hub.Repository(config.model.removeprefix(HUB), "main", _lacks, f"{place}, or {cache}")
        return
    entry = published(config)
    name, names = entry["hf_hub"].rpartition("/")[0], _names(entry)
    place = "download the weights elsewhere and name the file as zero_shot.tower.file"
    yield hub.Repository(name, "main", _without(names, f"its weights ({names[0]})"), f"{place}, or {cache}")
    text = open_clip_library().get_model_config(config.model)["text_cfg"]
    if name := text.get("hf_tokenizer_name"):
        yield hub.Repository(name, "main", _without(_TOKENIZER, "a tokenizer"), cache)
    if name := text.get("hf_model_name"):
        yield hub.Repository(name, "main", _without(("config.json",), "its configuration"), cache)


def _without(patterns: tuple[str, ...], what: str) -> Callable[[Path], str | None]:
    """Return the function that says of a folder that it lacks `what` if no file matches the patterns."""

    def lacks(folder: Path) -> str | None:
        there = any(file.is_file() for pattern in patterns for file in folder.glob(pattern))
        return None if there else what

    return lacks


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how the file with a tag's weights may be called in its repository, in open_clip's order."""
    name = entry["hf_hub"].rpartition("/")[2]
    return (f"{Path(name).stem}.safetensors", name) if name else (CHECKPOINTS[0], CHECKPOINTS[2])


def _flaw(config: OpenClipTower, path: Path) -> str | None:
    """Say in a sentence why what is named on this machine cannot be loaded, None if nothing is wrong."""
    if config.model.startswith(LOCAL_FOLDER):
        lacking = _lacks(path) if path.is_dir() else "everything: there is no such folder"
        if lacking:
            return f"{path}, which zero_shot.tower.model names, lacks {lacking}; place its files there."
        return _code(path)
    key = "zero_shot.tower.file" if config.file else "zero_shot.tower.pretrained"
    if not path.is_file():
        return f"There is no file {path}, which {key} names: place it there or mend the profile."
    if path.suffix not in CHECKPOINT_ENDINGS:
        return f"{path}, which {key} names, is no checkpoint: those end in {', '.join(CHECKPOINT_ENDINGS)}."
    return _code(path)


def _code(path: Path) -> str | None:
    """Say in a sentence that loading this checkpoint, or model's folder, would run code; None if not."""
    if path.is_dir():
        return _code_of_tokenizer(path) or _code(_checkpoints(path)[0])
    if is_torchscript(path) and not _is_published(sha256_of(path)):
        return (
            f"{path} is an archive of TorchScript, which runs code when it is loaded, and none that "
            "open_clip publishes: where you trust its maker, save its tensors alone, with safetensors."
        )
    return None


def _code_of_tokenizer(folder: Path) -> str | None:
    """Say that the configuration in a folder asks of its tokenizer what is unsafe or unclear; None if not."""
    try:
        described = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        told = described["model_cfg"]["text_cfg"].get("tokenizer_kwargs") or {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # open_clip says what is wrong with it
    if not isinstance(told, dict):
        return (
            f"{folder / CONFIGURATION} names none of its tokenizer's options: delete tokenizer_kwargs there."
        )
    wrong = sorted(set(told) - _OPTIONS_OF_TOKENIZERS)
    return (
        f"{folder / CONFIGURATION} gives its tokenizer options that could run code ({', '.join(wrong)}): "
        "delete tokenizer_kwargs there, or name another model."
        if wrong
        else None
    )


def is_torchscript(file: Path) -> bool:
    """Tell whether a file is an archive of TorchScript, as OpenAI publishes its weights."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _is_published(sha256: str) -> bool:
    """Tell whether open_clip publishes a file of this hash, known in full and not by its beginning alone."""
    library = open_clip_library()
    entries = (library.get_pretrained_cfg(*each) for each in library.list_pretrained())
    return sha256 in {known for entry in entries if len(known := _sha256(entry)) == len(sha256)}


def _lacks(folder: Path) -> str | None:
    """Say what a folder lacks that describes a model by itself, None if nothing."""
    if not (folder / CONFIGURATION).is_file():
        return CONFIGURATION
    return None if _checkpoints(folder) else f"a checkpoint ({CHECKPOINTS[0]}, or a single other one)"


def _checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, open_clip's choice first; one of another name only if alone."""
    named = [folder / name for name in CHECKPOINTS if (folder / name).is_file()]
    others = [file for file in folder.iterdir() if file.suffix in _IN_FOLDERS and file.is_file()]
    return named or (others if len(others) == 1 else [])


def _own(config: OpenClipTower, path: Path) -> Weights:
    """Return a checkpoint of the user's own, of which its maker alone knows where it comes from."""
    is_folder = config.pretrained is None
    file = _checkpoints(path)[0] if is_folder else path
    sha256 = sha256_of(file)
    if not is_folder:
        require_own_activation(file, sha256, config.model)
    return Weights(
        model=f"{LOCAL_FOLDER}{path}" if is_folder else config.model,
        file=file,
        published={},
        origin=Source(name=f"local checkpoint {path.resolve().name}", sha256=sha256),
    )


def _copy(config: OpenClipTower, file: Path) -> Weights:
    """Return a copy of published weights."""
    sha256 = sha256_of(file)
    require_published(file, sha256, config)
    return Weights(
        model=config.model,
        file=file,
        published=published(config),
        origin=Source(name=name_of(config), sha256=sha256),
    )


def _repository_alone(config: OpenClipTower) -> Weights:
    """Return the weights of a hub's repository that describes a model by itself."""
    folder = hub.snapshot(
        next(_repositories(config)), [(*_BESIDE_WEIGHTS, name) for name in (CHECKPOINTS[0], CHECKPOINTS[2])]
    )
    return Weights(
        model=f"{LOCAL_FOLDER}{folder}",
        file=_checkpoints(folder)[0],
        published={},
        origin=Source(
            name=name_of(config),
            revision=folder.name,
            url=f"{hub.ADDRESS}/{config.model.removeprefix(HUB)}",
        ),
    )


def name_of(config: OpenClipTower) -> str:
    """Return the name by which published weights are known, wherever they were found."""
    return f"open_clip {config.model}" + (f", {config.pretrained}" if config.pretrained else "")


def published(config: OpenClipTower) -> Mapping[str, Any]:
    """Return open_clip's entry for the weights that a config names by their tag.

    Raises:
        UserError: if open_clip has no such model or tag, or would compute another activation function
            than the one that the weights were trained with.
    """
    library = open_clip_library()
    wants_quick_gelu = _has_quick_gelu(config.model)
    entry = library.get_pretrained_cfg(config.model, config.pretrained)
    if not entry:
        tags = ", ".join(library.list_pretrained_tags_by_model(config.model)) or "none"
        raise UserError(
            f"{config.pretrained!r} is neither a file nor a tag of {config.model!r}; its tags: {tags}."
        )
    if wants_quick_gelu and not entry.get("quick_gelu"):
        raise UserError(
            f"QuickGELU mismatch: model {config.model!r} would compute another activation than the weights "
            f"{config.pretrained!r} were trained with; choose another tag."
        )
    return entry


def require_published(file: Path, sha256: str, config: OpenClipTower) -> None:
    """Check that a copy of published weights is the published file, where open_clip knows that file's hash.

    A file with another ending holds the tensors in another format, of which no hash is known.

    Raises:
        UserError: if it is not.
    """
    entry = published(config)
    expected = _sha256(entry)
    if expected and file.suffix == Path(entry["url"]).suffix and not sha256.startswith(expected):
        raise UserError(
            f"{file} is not the file that was published as {config.pretrained} of {config.model}: its "
            f"SHA-256 begins {sha256[:8]}, not {expected[:8]}; get it anew from {entry['url']}, or name a "
            "checkpoint of your own as zero_shot.tower.pretrained."
        )


def require_own_activation(file: Path, sha256: str, model: str) -> None:
    """Check that a file that is loaded as the user's own is none that was published with another activation.

    Raises:
        UserError: if it is, or if open_clip has no such model.
    """
    library = open_clip_library()
    wanted = _has_quick_gelu(model)
    for other, tag in library.list_pretrained():
        entry = library.get_pretrained_cfg(other, tag)
        expected = _sha256(entry)
        if expected and sha256.startswith(expected) and wanted != bool(entry.get("quick_gelu")):
            raise UserError(
                f"QuickGELU mismatch: {file} was published as {tag}, and model {model!r} would compute "
                f"another activation: write zero_shot.tower.pretrained = {tag!r} and name the file as "
                "zero_shot.tower.file."
            )


def _has_quick_gelu(model: str) -> bool:
    """Tell whether open_clip computes QuickGELU in a model where nothing else asks for it."""
    architecture = open_clip_library().get_model_config(model)
    if architecture is None:
        raise UserError(f"open_clip knows no model {model!r}; open_clip.list_models() names those it knows.")
    return bool(architecture.get("quick_gelu"))


def _sha256(entry: Mapping[str, Any]) -> str:
    """Return the hash of a published file, or its beginning, from its address as open_clip does; else ''."""
    url = entry.get("url", "")
    if "openaipublic" in url:
        return url.split("/")[-2]
    return Path(url).stem.rpartition("-")[2] if "mlfoundations" in url else ""
