"""Importing transformers and PEFT so that they work beside a torch without torchvision's operators."""

from experiments.models.torchvision_shim import declare_missing_operators


def prepare_transformers() -> None:
    """Make transformers and PEFT importable, and keep them from drawing progress bars into ours.

    Call it before the first import of either.
    """
    declare_missing_operators()
    from transformers.utils import logging

    logging.disable_progress_bar()
