"""Commands in a project that cannot be read or written as it stands: one sentence, and nothing lost."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from experiments import __main__ as command_line
from experiments.project import open_project
from tests.support.commands import as_an_ordinary_user, locked
from tests.support.copies import copy_parts
from tests.support.results import classifier
from tests.support.stored import put


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the results of the classifiers."""
    root = copy_parts(tmp_path_factory.mktemp("original"), "pipeline", "experiments", "profiles", "data")
    project = open_project("smoke", root)
    for stage in ("zero_shot", "vit", "cnn"):
        put(project, stage, classifier(stage, 0.8))
    return root


@pytest.fixture
def root(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = shutil.copytree(original, tmp_path / "root")
    monkeypatch.chdir(root)
    return root


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command line in this process; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["experiments", *arguments])
    try:
        command_line.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def nested(root: Path) -> None:
    (root / "profiles" / "smoke.toml").write_text("x = " + "[" * 5_000)


def result_as_folder(root: Path) -> None:
    (root / "results" / "smoke" / "cnn.json").unlink()
    (root / "results" / "smoke" / "cnn.json").mkdir()


def results_as_file(root: Path) -> None:
    shutil.rmtree(root / "results")
    (root / "results").touch()


def lock_as_folder(root: Path) -> None:
    (root / "results" / "smoke" / "cnn.json").unlink()
    (root / "results" / "smoke" / ".cnn.lock").mkdir()


COMMANDS = (
    ("status",), ("status", "--strict"), ("why", "cnn"), ("run", "cnn"), ("reproduce", "cnn"), ("clean",),
)  # fmt: skip
SPOILED: dict[Callable[[Path], None], tuple[str, set[str]]] = {
    nested: ("profiles/smoke.toml is nested too deep to be read: mend it.", {name for name, *_ in COMMANDS}),
    result_as_folder: (r"cnn\.json is a folder, where results|cnn is missing: run", {"run", "reproduce"}),
    results_as_file: (
        r"results(/smoke)? \(Not a directory|results .*exists|missing: run",
        {"run", "reproduce"},
    ),
    lock_as_folder: (r"\.cnn\.lock \(Is a directory\)|missing: run", {"run", "reproduce", "clean"}),
}
"""What spoils a project, what is said of it, and the commands that it stops."""


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_not_as_it_should_be_stops_only_what_needs_it_and_in_one_sentence(
    root: Path,
    spoil: Callable[[Path], None],
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(root)
    name = command[0]
    code = ended(monkeypatch, *command, *(() if name == "clean" else ("--profile", "smoke")))
    printed = capsys.readouterr()
    said, stopped = SPOILED[spoil]
    if name in stopped:
        assert code == 2
        assert re.search(said, printed.err), printed.err
        assert len(printed.err.strip().splitlines()) == 1
    else:
        assert code == (1 if "--strict" in command else 0), printed.err
        assert name == "clean" or "missing" in printed.out


@pytest.fixture
def read_only(original: Path, tmp_path: Path) -> Iterator[Path]:
    """A project that an ordinary user may read and not write."""
    root = shutil.copytree(original, tmp_path / "root", ignore=shutil.ignore_patterns(".cache"))
    with locked(root):
        yield root


@pytest.mark.parametrize("command", ["status", "why cnn", "status --json"])
def test_what_only_asks_works_in_a_checkout_that_cannot_be_written(read_only: Path, command: str) -> None:
    done = as_an_ordinary_user(read_only, "-m", "experiments", *command.split(), "--profile", "smoke")
    assert (done.returncode, done.stderr) == (0, "")
    assert "fresh" in done.stdout
    assert not (read_only / ".cache").exists()


@pytest.mark.parametrize("command", ["run align", "run --force cnn", "new mine"])
def test_what_writes_says_what_it_cannot_write(read_only: Path, command: str) -> None:
    profile = () if command == "new mine" else ("--profile", "smoke")
    done = as_an_ordinary_user(read_only, "-m", "experiments", *command.split(), *profile)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert "Permission denied" in last
    assert str(read_only) in last or "profiles/mine.toml" in last
    assert "Traceback" not in done.stderr
