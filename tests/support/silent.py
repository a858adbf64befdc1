"""What a stage is lent by tests that watch neither its progress nor its files."""

from typing import Any


def silently(done: int, total: int, note: str) -> None:
    """Take a report of progress and do nothing."""


class SilentContext:
    """The surroundings of a stage that reads text only."""

    progress = staticmethod(silently)


SILENT: Any = SilentContext()
