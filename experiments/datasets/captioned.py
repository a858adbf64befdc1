"""The captioned photos that a profile's `[photos]` section names."""

from collections.abc import Callable
from pathlib import Path

from experiments.datasets.cifar10_captions import load_cifar10_captions
from experiments.datasets.flickr30k import load_flickr30k
from experiments.datasets.generated_photos import generate_photos
from experiments.datasets.photos import CaptionedPhotos
from experiments.sections.photos import Cifar10Captions, Flickr30k, GeneratedPhotos


def load_photos(
    section: Cifar10Captions | Flickr30k | GeneratedPhotos,
    root: Path,
    downloads: Path,
    say: Callable[[str], None],
) -> CaptionedPhotos:
    """Load the captioned photos, downloading what they need into `downloads` the first time.

    Paths in `section` start at `root`. `say` is called with a line of text before a download begins.

    Raises:
        UserError: if they cannot be had, or are not what the section asks for.
    """
    if isinstance(section, GeneratedPhotos):
        return generate_photos(section)
    if isinstance(section, Flickr30k):
        return load_flickr30k(section, root, say)
    return load_cifar10_captions(section, root, downloads, say)
