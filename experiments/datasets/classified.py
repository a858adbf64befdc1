"""The images that a profile's `[images]` section names."""

from collections.abc import Callable
from pathlib import Path

from experiments.datasets.cifar10 import load_cifar10
from experiments.datasets.generated import generate
from experiments.datasets.images import ClassifiedImages
from experiments.sections.images import Cifar10Section, GeneratedSection


def load_images(
    section: Cifar10Section | GeneratedSection, downloads: Path, say: Callable[[str], None]
) -> ClassifiedImages:
    """Load the classification images, downloading them into `downloads` the first time.

    Raises:
        UserError: if they cannot be had, or are not what the pinned hashes say.
    """
    if isinstance(section, GeneratedSection):
        return generate(section)
    return load_cifar10(section.source, downloads, say)
