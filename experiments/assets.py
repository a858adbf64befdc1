"""How a stage names a file that it needs from a package registry."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Archive:
    """One version of a package in a public registry, with the SHA-256 of its archive."""

    registry: Literal["npm", "pypi"]
    package: str
    version: str
    sha256: str
    licence: str
