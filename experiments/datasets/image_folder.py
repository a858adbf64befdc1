"""Classification images of a user's own: a folder for each class."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from unicodedata import normalize

import numpy as np

from experiments.config.fields import resolve_path
from experiments.config.images import ImageFolder
from experiments.datasets.image_layout import Classes, Layout, layout_of
from experiments.datasets.images import ClassifiedImages, draw_test_split, draw_validation
from experiments.datasets.listing import Listing, Unused, listing, sentences
from experiments.datasets.pictures import decode
from experiments.datasets.preprocess import preprocess
from experiments.datasets.problems import in_one
from experiments.datasets.text import seen, told_apart, unfit
from pipeline.errors import UserError

Part = list[tuple[str, int]]
"""The files of a part, by their path in the folder, each with its label: the index of its class."""


@dataclass(frozen=True)
class Split:
    """Class names, the files of both parts, and the names of what else is there, by why it is not used."""

    folder: Path
    classes: tuple[str, ...]
    train: Part
    test: Part
    unused: Unused


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
    for sentence in sentences(split.unused, config.folder):
        say(sentence)
    if not ready.is_dir():
        say(f"reading {len(split.train) + len(split.test)} images of {split.folder.name}")

    def read(part: str, position: int) -> np.ndarray:
        name, _ = files[part][position]
        try:
            return decode(split.folder / name)
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error

    def failed(reasons: list[str]) -> UserError:
        found = f"{len(reasons)} images in {split.folder} cannot be used"
        return UserError(f"{found}: {in_one(reasons, '; ')}.")

    labels = {part: _labels(own) for part, own in files.items()}
    return preprocess(ready, split.classes, labels, size=config.size, read=read, failed=failed)


def files_of(config: ImageFolder, root: Path) -> tuple[Path, list[str]] | None:
    """Return the folder and the names of all images in it, sorted, None if there is no image on this machine.

    A folder without any stands where a disk is not mounted.

    Raises:
        UserError: if `problems_of` finds a problem.
    """
    folder = resolve_path(root, config.folder)
    if not folder.is_dir() or not listing(folder).pictures:
        return None
    split = split_of(config, root)
    return split.folder, sorted(name for name, _ in (*split.train, *split.test))


def split_of(config: ImageFolder, root: Path) -> Split:
    """Find the classes and split their files, as the folder does or by a draw.

    Training files stand in an order that is drawn, so that the first of them are of all classes.

    Raises:
        UserError: if `problems_of` finds a problem.
    """
    split, problems = examine(config, root)
    if problems:
        raise UserError(f"The images in {split.folder} cannot be used: {in_one(problems, '; ')}.")
    return split


def problems_of(config: ImageFolder, root: Path) -> list[str]:
    """Return everything that is wrong with the folder's structure, one phrase each, without reading files."""
    return examine(config, root)[1]


def examine(config: ImageFolder, root: Path) -> tuple[Split, list[str]]:
    """Split what can be split; return it with a phrase for each thing that is wrong with the structure."""
    folder = resolve_path(root, config.folder)
    if not folder.is_dir():
        missing = f"there is no folder {folder}, which images.folder names"
        return Split(folder, (), [], [], {}), [missing]
    found = listing(folder)
    layout = layout_of(found.pictures, folder.resolve().name)
    if layout.question:
        return Split(folder, (), [], [], found.unused), [layout.question]
    parts = {part: _composed(classes) for part, classes in layout.parts.items()}
    names = sorted({name for classes in parts.values() for name in classes})
    if len(parts) == 2:
        (train, test), problems = _given(parts, names), _problems_of_parts(parts, names)
        seed = 0
    else:
        (train, test), problems = _drawn(parts[""], names, config), _problems_of_draw(parts[""], config)
        seed = config.seed or 0
    order = np.random.default_rng(seed).permutation(len(train))
    split = Split(
        folder=folder,
        classes=tuple(map(_shown, names)),
        train=[train[position] for position in order],
        test=test,
        unused={**found.unused, **_outside(found, layout)},
    )
    return split, [*problems, *_problems_of_alike(layout.parts), *_problems_of_names(names)]


def _composed(classes: Classes) -> Classes:
    """Return classes by their names with each accent as part of its letter, since systems differ in that."""
    found: dict[str, list[str]] = {}
    for name, files in classes.items():
        found.setdefault(normalize("NFC", name), []).extend(files)
    return found


def _given(parts: Mapping[str, Classes], names: Sequence[str]) -> tuple[Part, Part]:
    """Take the two parts as the folder has them."""
    train, test = (
        [(file, label) for label, name in enumerate(names) for file in classes.get(name, ())]
        for classes in parts.values()
    )
    return train, test


def _problems_of_parts(parts: Mapping[str, Classes], names: Sequence[str]) -> list[str]:
    """Name classes that only one part has; of one that is written otherwise there, another sentence tells."""
    return [
        f"class {name!r} has no image in {part}"
        for part, classes in parts.items()
        for name in names
        if _alike(name) not in map(_alike, classes)
    ]


def _problems_of_alike(parts: Mapping[str, Classes]) -> list[str]:
    """Name folders that a person would take for one class, which would be two.

    One name whose accents training and test write in two ways is one class; inside a part, it is told. So are
    letters of two forms, such as the wide ones of Chinese and Japanese fonts, and a ligature.
    """
    folders: dict[str, set[str]] = defaultdict(set)
    for classes in parts.values():
        for name in classes:
            folders[_alike(name)].add(name)
    return [
        f"the folders {' and '.join(told_apart(sorted(names)))} differ only by case, blanks or "
        "underscores, marks that nobody sees, or the encoding of accents: if they are one class, merge them "
        "or give them one name; if not, rename one"
        for _, names in sorted(folders.items())
        if len({normalize("NFC", name) for name in names}) > 1
        or any(len(names & {*classes}) > 1 for classes in parts.values())
    ]


def _alike(folder: str) -> str:
    """Return what folders have in common that a person would take for one class."""
    return seen(normalize("NFKC", _shown(folder)).lower())


def _drawn(classes: Classes, names: Sequence[str], config: ImageFolder) -> tuple[Part, Part]:
    """Draw the test files of each class."""
    share, seed = config.test_share or 0.0, config.seed or 0
    train, test = [], []
    for label, name in enumerate(names):
        tested = draw_test_split(len(classes[name]), share, seed, label)
        for file, is_tested in zip(classes[name], tested, strict=True):
            (test if is_tested else train).append((file, label))
    return train, test


def _problems_of_draw(classes: Classes, config: ImageFolder) -> list[str]:
    problems = [
        f"class {name!r} has {len(files)} images: at least two are needed, one to test"
        for name, files in sorted(classes.items())
        if len(files) < 2
    ]
    if config.test_share is None or config.seed is None:
        problems.append(
            "there are no folders train and test in it, so that images.test_share and images.seed must say "
            "how to split (for example 0.2 and 0)"
        )
    return problems


def _outside(found: Listing, layout: Layout) -> Unused:
    """Name the pictures that are in no class, and the folders in a class's place that hold no picture."""
    used = {file for classes in layout.parts.values() for files in classes.values() for file in files}
    holding = {file.rpartition("/")[0] for file in found.pictures}
    filled = holding.union(*(map(str, PurePosixPath(folder).parents) for folder in holding))
    empty = (name for name in found.folders if name not in filled)
    return {
        "pictures outside the folders of the classes": [name for name in found.pictures if name not in used],
        "folders without an image, which make no class": [
            name for name in empty if name.rpartition("/")[0] in layout.places
        ],
    }


def _labels(part: Part) -> np.ndarray:
    """Return the labels of a part, int64 of shape (N,), read-only."""
    labels = np.fromiter((label for _, label in part), dtype=np.int64)
    labels.setflags(write=False)
    return labels


def _problems_of_names(names: Sequence[str]) -> list[str]:
    problems = []
    if len(names) < 2:
        problems.append(f"there are {len(names)} folders with images in it: one for each class is needed")
    wrong = {name: unfit(_shown(name)) for name in names}
    problems += [
        f"the name of class {name!r} {what}: rename its folder" for name, what in wrong.items() if what
    ]
    return problems


def _shown(folder: str) -> str:
    """Return a class's name as prompts and the report use it."""
    return " ".join(folder.replace("_", " ").split())
