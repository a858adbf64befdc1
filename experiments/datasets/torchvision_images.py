"""Classification data sets of torchvision, by name."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.config.fields import resolve_path
from experiments.config.images import TorchvisionImages
from experiments.datasets.downloads import connecting_in_time
from experiments.datasets.images import ClassifiedImages, draw_test_split, draw_validation
from experiments.datasets.pictures import raster_formats_alone, rgb
from experiments.datasets.preprocess import preprocess
from experiments.datasets.text import unfit
from experiments.datasets.unpickling import only_plain_pickles
from pipeline.errors import UserError, first_few, reason

TRAIN_SPLITS = ("train", "trainval", "train-standard")
TEST_SPLITS = ("test", "val", "valid")
_OURS = {
    "self",
    "root",
    "train",
    "download",
    "transform",
    "target_transform",
    "transforms",
    "loader",
    "kwargs",
}
"""Arguments of torchvision's classes that are no option of a profile."""
FOLDER = "torchvision"
"""Where in the downloads each data set has a folder for what torchvision makes of it."""


class NotThere(UserError):
    """torchvision does not find the files of a data set, and may not or cannot download them."""


def load_torchvision(
    config: TorchvisionImages, root: Path, downloads: Path, ready: Path, say: Callable[[str], None]
) -> ClassifiedImages:
    """Load a data set by torchvision, which downloads it the first time, unless `config` names a folder.

    What networks trained from scratch see of the images is made once, in the folder `ready`.

    Raises:
        UserError: if torchvision has no such data set of labelled images, or cannot load it, or if more
            training images are to be kept for validation than can be spared.
    """
    kind = _kind(config.name)
    place = place_of(config, root, downloads)
    with raster_formats_alone():  # torchvision opens pictures by itself, for their labels as well
        parts = _parts(config, kind, place, say)
        labels = {part: _labels(items, positions) for part, (items, positions) in parts.items()}
    classes = _classes(config, parts["train"][0], max(int(own.max()) for own in labels.values()) + 1)
    if wrong := [f"{name!r} {unfit(name)}" for name in classes if unfit(name)]:
        raise UserError(f"{config.name} has a class whose name {wrong[0]}: name all as images.classes.")
    missing = [
        f"{name} ({part})"
        for part, own in labels.items()
        for label, name in enumerate(classes)
        if not (own == label).any()
    ]
    if missing:
        raise UserError(
            f"{config.name} has no images of {first_few(missing, between=', ')}: it cannot be used as it is."
        )
    (train, positions), train_labels = parts["train"], labels["train"]
    kept = draw_validation(train_labels, config.validation, config.validation_seed)
    for part, mask in (("train", ~kept), ("validation", kept)):
        parts[part], labels[part] = (train, positions[mask]), train_labels[mask]
        labels[part].setflags(write=False)

    def read(part: str, position: int) -> np.ndarray:
        items, positions = parts[part]
        with raster_formats_alone():
            return _pixels(items[int(positions[position])][0])

    def failed(reasons: list[str]) -> UserError:
        return UserError(f"{config.name} cannot be read ({reasons[0]}): delete it in {place} and run again.")

    return preprocess(ready, classes, labels, size=config.size, read=read, failed=failed)


def place_of(config: TorchvisionImages, root: Path, downloads: Path) -> Path:
    """Return the folder that is given to torchvision: the one that `config` names, or one of its own."""
    return resolve_path(root, config.folder) if config.folder else downloads / FOLDER / config.name


def fetch(config: TorchvisionImages, root: Path, downloads: Path, say: Callable[[str], None]) -> None:
    """Have torchvision download a data set, unless it is there or `config` names a folder.

    Raises:
        UserError: if torchvision has no such data set, or cannot download it.
    """
    if config.folder is None:
        with raster_formats_alone():
            _parts(config, _kind(config.name), place_of(config, root, downloads), say)


def can_download(name: str) -> bool:
    """Tell whether torchvision itself fetches the data set of that name, which it must have."""
    return "download" in _arguments(_kind(name))


def _kind(name: str) -> Any:
    """Return torchvision's class of that name."""
    from experiments.models.torchvision_shim import declare_missing_operators

    declare_missing_operators()
    from torchvision import datasets

    found = getattr(datasets, name, None)
    if not inspect.isclass(found) or not issubclass(found, datasets.VisionDataset):
        known = sorted(each for each in datasets.__all__ if each[0].isupper())
        raise UserError(
            f"torchvision has no data set {name!r}, which images.name names; it has {', '.join(known)}."
        )
    return found


def _parts(
    config: TorchvisionImages, kind: Any, place: Path, say: Callable[[str], None]
) -> dict[str, tuple[Any, np.ndarray]]:
    """Return the data set and the positions in it, for each part."""
    arguments = _arguments(kind)
    _check_options(config, kind, arguments - _OURS)
    if "train" in arguments:
        train = _load(config, kind, place, say, {"train": True})
        return {"train": _whole(train), "test": _whole(_load(config, kind, place, say, {"train": False}))}
    if "split" in arguments and "split" not in config.options:
        train = _load(config, kind, place, say, {"split": _split(config, kind, place, *TRAIN_SPLITS)})
        test = _split(config, kind, place, *TEST_SPLITS)
        return {"train": _whole(train), "test": _whole(_load(config, kind, place, say, {"split": test}))}
    if config.test_share is None or config.seed is None:
        raise UserError(
            f"{config.name} of torchvision has no training and test part: images.test_share and images.seed "
            "must say how to split it (for example 0.2 and 0)."
        )
    items = _load(config, kind, place, say, {})
    labels = _labels(items, np.arange(len(items)))
    tested = np.zeros(len(items), dtype=bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        tested[own] = draw_test_split(len(own), config.test_share, config.seed, int(label))
    return {"train": (items, np.flatnonzero(~tested)), "test": (items, np.flatnonzero(tested))}


def _arguments(kind: Any) -> set[str]:
    """Return what a data set can be called with, inherited arguments included."""
    made_by = (vars(each).get("__init__") for each in kind.__mro__)
    return {name for function in made_by if inspect.isfunction(function)
            for name in inspect.signature(function).parameters}  # fmt: skip


def _check_options(config: TorchvisionImages, kind: Any, known: set[str]) -> None:
    """Refuse options that the data set does not take, or one that it needs and has not.

    Raises:
        UserError: if there is one.
    """
    if unknown := sorted(set(config.options) - known):
        raise UserError(
            f"images.options names {', '.join(unknown)}, which {config.name} of torchvision does not take; "
            f"it takes {', '.join(sorted(known)) or 'none'}."
        )
    needed = [
        name
        for name, about in inspect.signature(kind).parameters.items()
        if about.default is inspect.Parameter.empty and about.kind is about.POSITIONAL_OR_KEYWORD
        if name in known - {*config.options} and (name != "split" or "train" in _arguments(kind))
    ]
    if needed:
        raise UserError(
            f"images.options must name {', '.join(needed)}, which {config.name} of torchvision asks for."
        )


def _whole(items: Any) -> tuple[Any, np.ndarray]:
    return items, np.arange(len(items))


def _split(config: TorchvisionImages, kind: Any, place: Path, *names: str) -> str:
    """Return the first of `names` that the data set knows as a split: it refuses others before all else."""
    for name in names:
        try:
            kind(str(place), split=name, **config.options)
        except ValueError as error:
            if "split" in str(error):
                continue
        except Exception:  # the split is known, and the data not there yet
            return name
        return name
    raise UserError(
        f"{config.name} of torchvision has no split called {' or '.join(names)}: name one in images.options "
        "and say by images.test_share and images.seed how to split it."
    )


def _load(
    config: TorchvisionImages, kind: Any, place: Path, say: Callable[[str], None], part: dict[str, Any]
) -> Any:
    """Let torchvision load a part, from what is there or else by a download."""
    options = {**config.options, **part}
    try:
        with only_plain_pickles():
            return kind(str(place), **options)
    except Exception as error:  # whatever a missing or damaged file makes it raise
        if re.match("Unknown value|Expected type str for argument", str(error)):
            raise UserError(
                f"{config.name} of torchvision cannot take what images.options says ({reason(error)}): mend "
                "it."
            ) from error
        if config.folder or not can_download(config.name):
            raise NotThere(
                f"torchvision cannot load {config.name} from {place} ({reason(error)}): place its files "
                "there."
            ) from error
    say(f"asking torchvision for {config.name}")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with connecting_in_time(), only_plain_pickles():
            return kind(str(place), download=True, **options)
    except Exception as error:
        raise UserError(
            f"torchvision could not download {config.name} ({reason(error)}): go online and run again, or "
            "name a folder with a copy as images.folder."
        ) from error


def _labels(items: Any, positions: np.ndarray) -> np.ndarray:
    """Return the labels at positions, int64, from the list that most data sets keep, else one by one.

    Raises:
        UserError: if an item has no single class.
    """
    found = next(
        (getattr(items, name) for name in ("targets", "labels", "_labels") if hasattr(items, name)), None
    )
    if found is None or len(found) != len(items):
        found = [items[position][1] for position in range(len(items))]
    try:
        labels = np.array([int(label) for label in found], dtype=np.int64)[positions]
    except (TypeError, ValueError) as error:
        raise UserError(
            f"The items of torchvision's {type(items).__name__} have no single class each: name another data "
            "set as images.name."
        ) from error
    labels.setflags(write=False)
    return labels


def _classes(config: TorchvisionImages, items: Any, count: int) -> tuple[str, ...]:
    """Return the names of the classes: the config's, the data set's, or numbers."""
    names = config.classes or getattr(items, "classes", None) or [str(label) for label in range(count)]
    if len(names) < count:
        raise UserError(
            f"{config.name} has {count} classes, {len(names)} of them with names: name all as images.classes"
        )
    return tuple(str(name).replace("_", " ") for name in names)


def _pixels(picture: Any) -> np.ndarray:
    if not isinstance(picture, Image.Image):
        raise ValueError(f"its items are no pictures but {type(picture).__name__}")
    return np.array(rgb(picture))
