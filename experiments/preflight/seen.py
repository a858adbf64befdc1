"""What a check knows of images that it has read."""

from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[int, int], None]
"""Called with the number of images or photos that are read and their total."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An image that could be read; `part` is "train" or "test", or empty where nothing says which.

    `label` indexes the classes. `side` is the shorter side in pixels, None where it was not looked at.
    """

    name: str
    part: str
    label: int
    digest: bytes
    side: int | None


@dataclass(frozen=True)
class SeenImages:
    """All images, as far as they could be read.

    `own` says that they are a user's own files, which can be put right. `structure` and `damaged` say what is
    wrong, a phrase or sentence each; `idle`, what lies there and is not used; `absent`, that there is nothing
    to read yet, which is no problem.
    """

    what: str
    own: bool
    classes: tuple[str, ...] = ()
    images: tuple[Seen, ...] = field(default=(), repr=False)
    structure: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    absent: str | None = None

    def count(self, part: str) -> int:
        """Return the number of images of a part."""
        return sum(image.part == part for image in self.images)
