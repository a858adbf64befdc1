"""How a command begins: neither Ctrl-C nor a package that is not there shows a traceback, however early."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

STOPPED = 130
"""The exit code of a command that Ctrl-C ended."""


def guard(requirements: str) -> None:
    """Call this before what takes long to import: Ctrl-C ends the command at once, without a word.

    A package that is missing, now or later, is a sentence that names the file of `requirements`, and exit
    code 2; so is a file that is read as code is and cannot be. Where Ctrl-C is ignored, as of a script's
    command in the background, it stays so.
    """

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        from pipeline.errors import UserError

        if isinstance(error, UserError):  # of a file that is read as code is, before there is a command
            print(error, file=sys.stderr)
            sys.exit(2)
        if not isinstance(error, ModuleNotFoundError):
            sys.__excepthook__(kind, error, trace)
            return
        print(
            f"This Python ({sys.executable}) lacks the package {error.name}: take that of .venv, which `make "
            f"report` makes, or run `{sys.executable} -m pip install -r {requirements}`.",
            file=sys.stderr,
        )
        sys.exit(2)

    for stream in (sys.stdout, sys.stderr):  # what a terminal's encoding has not is a question mark
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.excepthook, sys.unraisablehook = told, _unraised
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def over() -> Iterator[None]:
    """Within the block, which is the command's work, Ctrl-C is a `KeyboardInterrupt`; after it, as before.

    One that nobody catches ends the command without a word, and so does what code makes of it that swallows
    it and fails.
    """
    told, ends, pressed = sys.excepthook, signal.getsignal(signal.SIGINT) is _end, False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    if ends:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except (Exception, KeyboardInterrupt):
        if pressed:
            sys.exit(STOPPED)
        raise
    finally:
        sys.excepthook = told  # Typer puts its own there
        if ends:
            signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(STOPPED)


def _unraised(what: "sys.UnraisableHookArgs") -> None:
    """Say what Python cannot raise, such as within a weak reference's callback; of Ctrl-C, nothing."""
    if not issubclass(what.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(what)
