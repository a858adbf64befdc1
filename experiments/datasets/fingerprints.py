"""What identifies a data set in a result's key: its content, never where it was fetched from."""

import hashlib
import json
from pathlib import Path

from experiments.closure import closure
from experiments.sections.images import Cifar10Section, GeneratedSection

CIFAR10 = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
"""SHA-256 of CIFAR-10's decoded arrays: images as uint8 (N, 32, 32, 3), labels as uint8 (N,)."""


def fingerprint(section: Cifar10Section | GeneratedSection, root: Path) -> str:
    """Return the SHA-256 that identifies the data set which `section` describes.

    CIFAR-10 is identified by its pinned hashes; generated images by their options and by the code
    that draws them.
    """
    if isinstance(section, Cifar10Section):
        identity = CIFAR10
    else:
        code = closure("experiments.datasets.generated", root)
        identity = {"section": section.model_dump(mode="json"), "code": code}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
