"""Importing libraries that import torchvision, so that they work beside a torch without its operators."""

from typing import Any

from experiments.models.torchvision_shim import declare_missing_operators


def open_clip_library() -> Any:
    """Import open_clip and return it."""
    declare_missing_operators()
    import open_clip

    return open_clip


def prepare_transformers() -> None:
    """Make transformers and PEFT importable, and keep them from drawing progress bars into ours.

    Call it before the first import of either.
    """
    declare_missing_operators()
    from transformers.utils import logging

    logging.disable_progress_bar()
