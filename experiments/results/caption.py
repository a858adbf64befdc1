"""One caption as a captioner wrote it."""

from pipeline.frozen import Frozen


class Caption(Frozen):
    """What a captioner wrote, and whether it ended the caption by itself or was cut off at the limit."""

    text: str
    ended: bool
