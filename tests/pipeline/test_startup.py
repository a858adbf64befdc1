"""How commands begin, each in a process of its own where importing takes as long as it is wanted to."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pipeline import startup
from tests.support import commands
from tests.support.commands import python
from tests.support.copies import ROOT

COMMANDS = {
    ("-m", "experiments", "status"): "typer",
    ("-m", "reporting", "numbers"): "typer",
    ("-m", "reporting.check"): "typer",
    ("-m", "reporting.digits"): "jinja2",
    ("-m", "reporting.preview"): "typer",
    ("-m", "reporting.render"): "typer",
    ("-m", "reporting.submission"): "typer",
    ("reporting/prepare.py",): "matplotlib",
}
"""Each command, and a package that it imports."""


def stopped(folder: Path, *arguments: str | Path, **environment: str) -> tuple[int, str]:
    """Press Ctrl-C once there is the file ``begun``; return the exit code and all that was said."""
    done = commands.stopped(folder / "begun", ROOT, *arguments, **environment)
    return done.returncode, done.stdout + done.stderr


def endless(folder: Path) -> str:
    """Return code that writes the file ``begun`` and goes on for long."""
    return f"import pathlib, time\npathlib.Path({str(folder / 'begun')!r}).touch()\ntime.sleep(60)\n"


@pytest.mark.parametrize(("command", "package"), COMMANDS.items())
def test_a_command_that_the_keyboard_stops_while_it_imports_ends_without_a_word(
    command: tuple[str, ...], package: str, tmp_path: Path
) -> None:
    (tmp_path / f"{package}.py").write_text(endless(tmp_path))
    assert stopped(tmp_path, *command, PYTHONPATH=str(tmp_path)) == (130, "")


@pytest.mark.parametrize(("command", "package"), [*COMMANDS.items()][:-1])  # the last has words of its own
def test_a_package_that_is_missing_is_a_sentence_that_says_how_to_install_it(
    command: tuple[str, ...], package: str, tmp_path: Path
) -> None:
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('no {package}', name={package!r})\n")
    done = python(ROOT, *command, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"lacks the package {package}" in done.stderr
    assert "-m pip install -r requirements" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "work",
    [
        "{endless}",
        "try:\n    exec({endless!r})\nexcept KeyboardInterrupt:\n    raise ValueError",
        "class Last:\n    def __del__(self):\n        exec({endless!r})\nLast()\nexec({endless!r})",
    ],
)
def test_an_interrupt_that_nobody_catches_or_that_becomes_another_error_is_no_traceback(
    work: str, tmp_path: Path
) -> None:
    if "Last" in work:  # of which Python tells and goes on: pressed again
        work = work.removesuffix("exec({endless!r})") + "import os\nos.kill(os.getpid(), 2)"
    block = work.format(endless=endless(tmp_path)).replace("\n", "\n    ")
    program = f"from pipeline import startup\nstartup.guard('r.txt')\nwith startup.over():\n    {block}\n"
    assert stopped(tmp_path, "-c", program) == (130, "")


def test_after_its_work_a_command_ends_at_once_too(tmp_path: Path) -> None:
    program = "from pipeline import startup\nstartup.guard('r.txt')\nwith startup.over():\n    pass\n"
    assert stopped(tmp_path, "-c", program + endless(tmp_path)) == (130, "")


def test_other_errors_are_shown_as_python_shows_them(tmp_path: Path) -> None:
    program = "from pipeline import startup\nstartup.guard('r.txt')\nwith startup.over():\n    1 / 0\n"
    done = python(ROOT, "-c", program)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_who_ignores_the_keyboard_goes_on_ignoring_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        startup.guard("r.txt")
        with startup.over():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
