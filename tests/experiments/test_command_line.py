import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from experiments import __main__ as command_line
from tests.support.commands import python
from tests.support.copies import copy_parts
from tests.support.warm import Warm, run_warm

PARTS = ("pipeline", "experiments", "profiles", "data")
GUARD = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {
            "torch", "torchvision", "transformers", "open_clip", "timm", "scipy", "peft", "datasets"
        }:
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Refuse())
sys.argv = ["experiments", *sys.argv[1:]]
import runpy
runpy.run_module("experiments", run_name="__main__")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_parts(tmp_path, *PARTS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the smoke profile has run through."""
    folder = copy_parts(tmp_path_factory.mktemp("finished"), *PARTS)
    done = call(folder, "run", "--profile", "smoke")
    assert done.returncode == 0, done.stderr
    return folder


def call(
    folder: Path, *arguments: str, guarded: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    return python(folder, *(("-c", GUARD) if guarded else ("-m", "experiments")), *arguments, **environment)


def stages(done: subprocess.CompletedProcess[str], profile: str) -> dict[str, Any]:
    """Return what a status in JSON says of each stage, once it is known to be of the profile."""
    answer = json.loads(done.stdout)
    assert answer["profile"] == profile
    return answer["stages"]


def test_what_is_edited_while_a_run_begins_is_not_run_in_its_older_form(project: Path) -> None:
    """Python has read its modules before the run knows what they are."""
    begun = (
        "import os, sys, time; from pathlib import Path; import experiments.__main__ as command\n"
        "file = Path('experiments', 'lending.py'); file.write_text(file.read_text() + '\\nMORE = 1\\n')\n"
        "if sys.argv[1] == 'future': os.utime(file, (time.time() + 9e6,) * 2)\n"
        "sys.argv = ['experiments', 'run', 'data_sets', '--profile', 'smoke']; command.main()"
    )
    done = python(project, "-c", begun, "now")
    assert done.returncode == 2
    assert done.stderr.strip().startswith("experiments.lending changed just now, while this began: run the")
    assert python(project, "-c", begun, "future").returncode == 0


def test_status_prints_every_stage_as_json_without_importing_torch(project: Path) -> None:
    done = call(project, "status", "--json", guarded=True)
    assert done.returncode == 0, done.stderr
    states = stages(done, "offline")
    assert {"zero_shot", "cnn", "vit"} <= set(states)
    for state in states.values():
        assert set(state) == {"state", "why", "key", "remarks"}
        assert state["state"] == "missing"


def test_the_profile_is_quartos_own_unless_the_option_says_otherwise(project: Path) -> None:
    assert stages(call(project, "status", "--json", QUARTO_PROFILE="smoke"), "smoke")
    answer = call(project, "status", "--json", "--profile", "offline", QUARTO_PROFILE="smoke")
    assert stages(answer, "offline")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("status", "--profile", "none"), "There is no profile 'none' in profiles/"),
        (("status", "--profile", "downloads"), "'downloads' cannot be a profile's name"),
        (("run", "--profile", "~/pets"), "'~/pets' cannot be a profile's name"),
        (("status", "--profile", "../x"), "'../x' cannot be a profile's name"),
        (("why", "cnn", "--profile", ".."), "'..' cannot be a profile's name"),
        (("status", "--profile", "pets\n"), "'pets\\n' cannot be a profile's name"),
        (("new", "reproduction"), "The name 'reproduction' is taken by the project itself: choose another."),
        (("run", "--force"), "`run --force` computes named stages again: name them"),
        (("why", "nothing"), "There is no stage 'nothing'; the stages are"),
        (("run", "nothing"), "There is no stage 'nothing'; the stages are"),
        (
            ("reproduce", "--profile", "smoke"),
            "is missing: run `python -m experiments run --profile smoke` first.",
        ),
    ],
)
def test_a_mistake_is_answered_with_one_sentence_and_exit_code_2(
    project: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = call(project, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_fresh_project_is_left_alone_without_importing_torch(finished: Path) -> None:
    results = finished / "results" / "smoke"
    before = {path: path.read_bytes() for path in results.glob("*.json")}
    assert len(before) >= 3
    again = call(finished, "run", "--profile", "smoke", guarded=True)
    assert again.returncode == 0, again.stderr
    assert "Nothing to do" in again.stdout
    shutil.rmtree(finished / ".cache")
    status = call(finished, "status", "--json", "--profile", "smoke", guarded=True)
    assert {state["state"] for state in stages(status, "smoke").values()} == {"fresh"}
    why = call(finished, "why", "cnn", "--profile", "smoke", guarded=True)
    assert why.stdout == "cnn is fresh.\n"
    agreed = run_warm(finished, "experiments", "reproduce", "--profile", "smoke")
    assert agreed.returncode == 0, agreed.stdout + agreed.stderr
    assert agreed.stdout.count("agrees") >= 3
    assert {path: path.read_bytes() for path in results.glob("*.json")} == before


def test_strict_status_prints_the_same_and_asks_only_about_the_profile_in_question(finished: Path) -> None:
    lenient = call(finished, "status", "--profile", "smoke")
    strict = call(finished, "status", "--strict", guarded=True, QUARTO_PROFILE="smoke")
    assert (strict.returncode, strict.stdout, strict.stderr) == (0, lenient.stdout, "")
    missing = call(finished, "status", "--strict", "--json", "--profile", "assignment", guarded=True)
    assert missing.returncode == 1
    assert {state["state"] for state in stages(missing, "assignment").values()} == {"missing"}


def test_strict_status_fails_after_an_edit_and_names_what_is_not_fresh_in_one_sentence(
    finished: Path, tmp_path: Path
) -> None:
    edited = shutil.copytree(finished, tmp_path / "edited", ignore=shutil.ignore_patterns(".cache"))
    with (edited / "experiments" / "captioning" / "scoring" / "metrics.py").open("a") as code:
        code.write("\nAN_EDIT_UNDER_WAY = True\n")
    lenient = call(edited, "status", "--profile", "smoke")
    assert (lenient.returncode, lenient.stderr) == (0, "")
    stale = [line.split()[0] for line in lenient.stdout.splitlines() if " stale " in line]
    assert "captions" in stale
    assert "cnn" not in stale
    strict = call(edited, "status", "--strict", "--profile", "smoke", guarded=True)
    assert (strict.returncode, strict.stdout) == (1, lenient.stdout)
    assert strict.stderr == (
        f"Not fresh: {', '.join(stale)}; `python -m experiments run --profile smoke` computes them.\n"
    )


CIRCUMSTANCES = {"seconds", "training_seconds", "images_per_second", "peak_bytes", "seconds_per_step"}


def repeatable(value: Any) -> Any:
    """Return what two runs have in common of a value: without times, and of a classifier its predictions."""
    if isinstance(value, dict) and "predictions" in value:
        return value["predictions"]
    if isinstance(value, dict):
        return {name: repeatable(part) for name, part in value.items() if name not in CIRCUMSTANCES}
    return [repeatable(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("wanted", "moments"),
    [
        ("zero_shot cnn vit", "results/smoke/zero_shot.json .cache/smoke/cnn/*/* .cache/smoke/vit/*/*"),
        ("captions ablations", ".cache/smoke/lora/*/* .cache/smoke/variants/*/*"),
    ],
)
def test_a_real_run_killed_at_moments_is_finished_by_the_next_with_the_figures_of_an_undisturbed_one(
    project: Path, finished: Path, wanted: str, moments: str
) -> None:
    command = ("run", *wanted.split(), "--profile", "smoke")
    killed = []
    for moment in moments.split():
        killed.append(kill(project, command, moment))
        for path in (project / "results" / "smoke").glob("*.json"):
            json.loads(path.read_text())
    assert any(killed), "every run was over before it could be killed"
    done = run_warm(project, "experiments", *command)
    assert done.returncode == 0, done.stderr
    results = list((project / "results" / "smoke").glob("*.json"))
    assert {*wanted.split()} <= {path.stem for path in results}
    for path in results:
        found, undisturbed = (
            json.loads((folder / path.relative_to(project)).read_text())["value"]
            for folder in (project, finished)
        )
        assert repeatable(found) == repeatable(undisturbed), path.stem


def kill(project: Path, command: tuple[str, ...], moment: str) -> bool:
    """Start a command, kill it once there is another file like `moment`, return whether it still ran."""
    before, deadline = set(project.glob(moment)), time.monotonic() + 300
    started = Warm(project, "experiments", *command)
    while set(project.glob(moment)) == before and started.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.kill(started.pid, signal.SIGKILL)
    return started.wait().returncode == -signal.SIGKILL


def test_a_run_stopped_by_the_keyboard_says_how_to_go_on(project: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "experiments", "run", "--profile", "smoke"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    started.stdout.readline()  # the first stage has begun
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate()
    assert started.returncode == 130
    assert "goes on from its last checkpoint" in errors
    assert "Traceback" not in errors


def test_a_forced_run_fills_the_cache_and_clean_leaves_that_until_it_is_asked_for_all(
    finished: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache"))
    forced = run_warm(folder, "experiments", "run", "--force", "cnn", "zero_shot", "--profile", "smoke")
    assert forced.returncode == 0, forced.stderr
    assert "cnn is fresh: it is computed again all the same" in forced.stdout
    assert re.search(r"What was computed:\n(zero_shot: .*\n)cnn: top1 (\S+) -> \2\n", forced.stdout)
    assert forced.stdout.splitlines()[-1] == "cnn, zero_shot are up to date.", "of others nothing is said"
    old, download = folder / ".cache/smoke/cnn/0123456789abcdef/x", folder / ".cache/downloads/y"
    for path in (old, download):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    in_use = [*folder.glob(".cache/smoke/cnn/*/complete"), *folder.glob(".cache/smoke/embeddings/*.npy")]
    assert len(in_use) == 3, "a mark, and features of validation and of test images"
    done = call(folder, "clean", guarded=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not old.exists()
    assert [path for path in in_use if not path.exists()] == []
    done = call(folder, "clean", "--all", guarded=True)
    assert done.stdout.splitlines()[-1].startswith("Freed ")
    assert [*(folder / ".cache").iterdir()] == [download.parent]
    states = stages(call(folder, "status", "--json", "--profile", "smoke", guarded=True), "smoke")
    stale = [name for name, state in states.items() if state["state"] != "fresh"]
    assert stale == ["audit"], "it tells how fast zero_shot was, which was measured anew"


def test_a_profile_that_is_edited_while_it_is_run_is_not_called_up_to_date(
    finished: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished, tmp_path / "copy", ignore=shutil.ignore_patterns(".cache"))
    edit = (
        "import sys\nfrom pathlib import Path\nfrom experiments import __main__ as command_line\n"
        "from pipeline import runner\n\n\n"
        "def run_and_edit(*given, **named):\n"
        "    profile = Path('profiles/smoke.toml')\n"
        "    profile.write_text(profile.read_text().replace('[cnn]\\nseed = ', '[cnn]\\nseed = 7'))\n"
        "    return True\n\n\n"
        "runner.bring_up_to_date = run_and_edit\n"
        "sys.argv = ['', 'run', '--force', 'cnn', '--profile', 'smoke']\n"
        "command_line.main()\n"
    )
    done = python(folder, "-c", edit)
    assert (done.returncode, done.stderr) == (1, "")
    assert "The profile smoke was changed while this ran: run the same command again." in done.stdout
    assert "up to date" not in done.stdout


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EISDIR, errno.ENOENT])
def test_a_disk_that_takes_nothing_is_answered_with_a_sentence(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise OSError(number, "No", "results/mine/cnn.json")

    monkeypatch.setattr(command_line, "app", refuse)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    assert "refuses to read or write results/mine/cnn.json (No): free room" in capsys.readouterr().err
