"""Three faults to plant in the project: a torture that finds nothing wrong must find these."""

import types
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from experiments.datasets import pictures
from experiments.new_profile import start
from pipeline import files
from tests.torture.trials import LOST, SILENT, TRACEBACK, Problem, Trial

EXPECTED = {
    (LOST, "the result of captions"),
    (SILENT, "a turned JPEG"),
    (TRACEBACK, "new offline"),
}
"""What is to be reported of them: a kind of problem, and the name of the trial."""


def plant() -> None:
    """Plant all three, for this process and those that are forked from it."""
    write_not_whole()
    forget_how_the_camera_was_held()
    stumble_over_a_name()


def write_not_whole() -> None:
    """Let the writer overwrite in place a result of captions that is there."""
    whole: Any = types.FunctionType(files.write_whole.__code__, files.__dict__)

    def write(path: Path, content: bytes) -> None:
        if path.name == "captions.json" and path.exists():
            path.write_bytes(content)
        else:
            globals()["whole"](path, content)

    setattr(files, "whole", whole)  # noqa: B010
    # All have imported the function itself, which stays the same but for what it does, in its own module.
    files.write_whole.__code__ = write.__code__


def forget_how_the_camera_was_held() -> None:
    """Let JPEGs be read as they are stored."""

    def transpose(image: Image.Image, *, in_place: bool) -> None:
        if image.format != "JPEG":
            upright(image, in_place=in_place)

    upright = ImageOps.exif_transpose
    setattr(pictures, "ImageOps", types.SimpleNamespace(exif_transpose=transpose))  # noqa: B010


def stumble_over_a_name() -> None:
    """Let a new profile of a name that is taken end in an error that nobody foresaw."""

    def begin(name: str, *given: Any, **named: Any) -> Any:
        return {"offline": 1}["online"] if name == "offline" else begun(name, *given, **named)

    begun = start.start
    start.start = begin


def are_all(found: dict[Trial, list[Problem]]) -> bool:
    """Tell whether what was reported is what was planted, each once, and nothing else."""
    reported = [(problem.kind, trial.name) for trial, problems in found.items() for problem in problems]
    return len(reported) == len(EXPECTED) and {*reported} == EXPECTED
