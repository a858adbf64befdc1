"""Classification images of a user's own: a folder for each class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.config.fields import resolve_path
from experiments.config.images import ImageFolder
from experiments.datasets.images import ClassifiedImages, draw_test_split, draw_validation
from experiments.datasets.pictures import decode, pictures_in
from experiments.datasets.preprocess import preprocess
from pipeline.errors import UserError, first_few

TEST_FOLDERS = ("test", "val", "valid", "validation")


Part = list[tuple[str, int]]
"""The files of a part, by their path in the folder, each with its label: the index of its class."""


@dataclass(frozen=True)
class Split:
    """Class names, and the files of both parts."""

    folder: Path
    classes: tuple[str, ...]
    train: Part
    test: Part


def load_image_folder(
    config: ImageFolder, root: Path, ready: Path, say: Callable[[str], None]
) -> ClassifiedImages:
    """Load the images; what networks trained from scratch see of them is made once, in the folder `ready`.

    Raises:
        UserError: if `problems_of` finds one, a picture cannot be decoded, or more images are to be kept for
            validation than can be spared.
    """
    split = split_of(config, root)
    kept = draw_validation(_labels(split.train), config.validation, config.validation_seed)
    files = {
        "train": [file for file, is_kept in zip(split.train, kept, strict=True) if not is_kept],
        "validation": [file for file, is_kept in zip(split.train, kept, strict=True) if is_kept],
        "test": split.test,
    }
    if not ready.is_dir():
        say(f"reading {len(split.train) + len(split.test)} images of {split.folder.name}")

    def read(part: str, position: int) -> np.ndarray:
        name, _ = files[part][position]
        try:
            return decode(split.folder / name)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def failed(reasons: list[str]) -> UserError:
        found = f"{len(reasons)} images in {split.folder} cannot be used"
        return UserError(f"{found}: {first_few(reasons)}.")

    labels = {part: _labels(own) for part, own in files.items()}
    return preprocess(ready, split.classes, labels, size=config.size, read=read, failed=failed)


def files_of(config: ImageFolder, root: Path) -> tuple[Path, list[str]] | None:
    """Return the folder and the names of all images in it, sorted, None if there is no image on this machine.

    A folder without any stands where a disk is not mounted.

    Raises:
        UserError: if `problems_of` finds a problem.
    """
    folder = resolve_path(root, config.folder)
    if not folder.is_dir() or not pictures_in(folder):
        return None
    split = split_of(config, root)
    return split.folder, sorted(name for name, _ in (*split.train, *split.test))


def split_of(config: ImageFolder, root: Path) -> Split:
    """Find the classes and split their files, as the folder does or by a draw.

    Training files stand in an order that is drawn, so that the first of them are of all classes.

    Raises:
        UserError: if `problems_of` finds a problem.
    """
    split, problems = _split(config, root)
    if problems:
        raise UserError(f"The images in {split.folder} cannot be used: {first_few(problems)}.")
    return split


def problems_of(config: ImageFolder, root: Path) -> list[str]:
    """Return everything that is wrong with the folder's structure, one phrase each, without reading files."""
    return _split(config, root)[1]


def _split(config: ImageFolder, root: Path) -> tuple[Split, list[str]]:
    folder = resolve_path(root, config.folder)
    if not folder.is_dir():
        return _assembled(folder, [], [], [], 0), [f"there is no folder {folder}, which images.folder names"]
    test_folder = next((name for name in TEST_FOLDERS if _classes(folder / name)), None)
    if test_folder and _classes(folder / "train"):
        return _given(folder, "train", test_folder)
    return _drawn(folder, config)


def _given(folder: Path, train_folder: str, test_folder: str) -> tuple[Split, list[str]]:
    """Take the two parts as the folder has them."""
    parts = {part: _classes(folder / part) for part in (train_folder, test_folder)}
    names = sorted({name for part in parts.values() for name in part})
    problems = [
        f"class {name!r} has no image in {part}/"
        for part, classes in parts.items()
        for name in names
        if not classes.get(name)
    ]
    train, test = (
        [
            (f"{part}/{name}/{file}", label)
            for label, name in enumerate(names)
            for file in classes.get(name, ())
        ]
        for part, classes in parts.items()
    )
    return _assembled(folder, names, train, test, 0), [*problems, *_problems_of_names(names)]


def _drawn(folder: Path, config: ImageFolder) -> tuple[Split, list[str]]:
    """Draw the test files of each class."""
    classes = _classes(folder)
    names = sorted(classes)
    problems = [
        f"class {name!r} has {len(classes[name])} images: at least two are needed, one to test"
        for name in names
        if len(classes[name]) < 2
    ]
    if config.test_share is None or config.seed is None:
        problems.append(
            "there are no folders train and test in it, so that images.test_share and images.seed must say "
            "how to split (for example 0.2 and 0)"
        )
    share, seed = config.test_share or 0.0, config.seed or 0
    train, test = [], []
    for label, name in enumerate(names):
        tested = draw_test_split(len(classes[name]), share, seed, label)
        for file, is_tested in zip(classes[name], tested, strict=True):
            (test if is_tested else train).append((f"{name}/{file}", label))
    return _assembled(folder, names, train, test, seed), [*problems, *_problems_of_names(names)]


def _assembled(folder: Path, names: Sequence[str], train: Part, test: Part, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(train))
    return Split(folder, tuple(map(_shown, names)), [train[position] for position in order], test)


def _labels(part: Part) -> np.ndarray:
    """Return the labels of a part, int64 of shape (N,), read-only."""
    labels = np.fromiter((label for _, label in part), dtype=np.int64)
    labels.setflags(write=False)
    return labels


def _problems_of_names(names: Sequence[str]) -> list[str]:
    problems = []
    if len(names) < 2:
        problems.append(f"there are {len(names)} folders with images in it: one for each class is needed")
    if len({_shown(name) for name in names}) < len(names):
        problems.append("two classes have the same name: an underscore counts as a space")
    return problems


def _shown(folder: str) -> str:
    """Return a class's name as prompts and the report use it."""
    return " ".join(folder.replace("_", " ").split())


def _classes(folder: Path) -> dict[str, list[str]]:
    """Return the image files of each subfolder, deeper ones included, by its name, sorted; none is empty."""
    visible = (path for path in folder.glob("*") if path.is_dir() and not path.name.startswith("."))
    found = {path.name: pictures_in(path) for path in visible}
    return {name: files for name, files in found.items() if files}
