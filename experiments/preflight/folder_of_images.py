"""Reading every image in a user's own folder."""

from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.images import ImageFolder
from experiments.datasets import image_folder
from experiments.datasets.pictures import decode, digest, pictures_in
from experiments.preflight.seen import Progress, Seen, SeenImages
from experiments.preflight.wording import such_as


def see_folder(config: ImageFolder, root: Path, progress: Progress) -> SeenImages:
    """Read all images of a folder, or all pictures in it if it is not structured as it should be."""
    folder, what = resolve_path(root, config.folder), f"The folder {config.folder}"
    if not folder.is_dir():
        missing = f"there is no folder {folder}, which images.folder names"
        return SeenImages(what, own=True, structure=(missing,))
    problems = image_folder.problems_of(config, root)
    split = None if problems else image_folder.split_of(config, root)
    if split:
        files = [(name, part, label) for part in ("train", "test") for name, label in getattr(split, part)]
    else:
        files = [(name, "", 0) for name in pictures_in(folder)]
    images, damaged = [], []
    for done, (name, part, label) in enumerate(files, start=1):
        try:
            pixels = decode(folder / name)
        except ValueError as error:
            damaged.append(
                f"The image {name!r} in {config.folder} is of no use, since {error}: place it anew or "
                "remove it."
            )
        else:
            images.append(Seen(name, part, label, bytes.fromhex(digest(pixels)), min(pixels.shape[:2])))
        progress(done, len(files))
    return SeenImages(
        what,
        own=True,
        classes=split.classes if split else (),
        images=tuple(images),
        structure=tuple(problems),
        damaged=tuple(damaged),
        idle=tuple(_idle(folder, config)),
    )


def _idle(folder: Path, config: ImageFolder) -> list[str]:
    """Name the folders that stand where a class's would and hold no image."""
    parts = [folder / name for name in ("train", *image_folder.TEST_FOLDERS) if (folder / name).is_dir()]
    empty = [
        path.relative_to(folder).as_posix()
        for place in (parts if len(parts) > 1 else [folder])
        for path in sorted(place.iterdir())
        if path.is_dir() and not path.name.startswith(".") and not pictures_in(path)
    ]
    return (
        [f"Folders in {config.folder} without an image, which make no class: {such_as(empty)}."]
        if empty
        else []
    )
