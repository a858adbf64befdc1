"""A small file that stands beside a result."""

from experiments.frozen import Frozen


class Attachment(Frozen):
    """A file in the folder named after the stage, beside its result: its name there and its SHA-256.

    The name holds the beginning of the hash, so that a file is never written over by another.
    """

    file: str
    sha256: str
