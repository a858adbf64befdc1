"""Importing libraries that import torchvision, so that they work beside a torch without its operators.

They are imported such that nothing of them runs the Python code that can lie beside a model's files.
"""

from pathlib import Path
from typing import Any

from experiments.models.torchvision_shim import declare_missing_operators
from pipeline.errors import UserError


def open_clip_library() -> Any:
    """Import open_clip and return it."""
    declare_missing_operators()
    _never_run_code_of_models()  # before: open_clip imports transformers
    import open_clip

    return open_clip


def prepare_transformers() -> None:
    """Make transformers and PEFT importable, and keep them from drawing and warning into what we say.

    Call it before the first import of either.
    """
    declare_missing_operators()
    _never_run_code_of_models()
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()  # of weights that do not fit, a sentence of ours tells


def _never_run_code_of_models() -> None:
    """Make transformers refuse code that a model brings, where it would ask the user or was told to trust."""
    from transformers import dynamic_module_utils

    dynamic_module_utils.resolve_trust_remote_code = _never_trusted
    dynamic_module_utils.get_class_in_module = _never_run


def _never_trusted(
    trust_remote_code: object,
    model_name: object,
    has_local_code: bool,
    has_remote_code: bool,
    *_: Any,
    **__: Any,
) -> bool:
    """Stand for what decides whether a model's own code runs: what transformers itself has is used."""
    if has_remote_code and not has_local_code:
        raise UserError(
            f"{Path(str(model_name)).name} can be loaded only by running Python code that comes with its "
            "files, which is never done: name another model."
        )
    return False


def _never_run(*_: Any, **__: Any) -> Any:
    """Stand for what imports a file that comes with a model."""
    raise UserError(
        "A model's files hold Python code that is to be run, which is never done: name another model."
    )
