"""What CIFAR-10 and captions of it are known by: pinned hashes, and the content of a file."""

from pathlib import Path

from experiments.config.fields import resolve_path
from experiments.config.photos import Cifar10Captions
from pipeline.errors import UserError

CIFAR10 = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
"""SHA-256 of the decoded arrays: images as uint8 (N, 32, 32, 3), labels as uint8 (N,)."""


def captions_file(config: Cifar10Captions, root: Path) -> bytes:
    """Return the content of the file with the captions, whose path starts at `root`.

    Raises:
        UserError: if it cannot be read.
    """
    path = resolve_path(root, config.captions)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The captions {path} cannot be read ({error.strerror}): place the file there or mend "
            "photos.captions."
        ) from error
