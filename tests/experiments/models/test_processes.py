import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.models.processes import ALONE, among, shared_out
from pipeline.launching import start_those_asked_for
from tests.support.commands import python
from tests.support.copies import ROOT, copy_parts
from tests.support.refusals import refusal
from tests.support.warm import run_warm

LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
LAUNCH += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
MODULE = "tests.support.side_by_side"
Found = dict[str, Any]


def run(folder: Path, count: int) -> Found:
    """Return what each of so many processes found: all of them the same."""
    target = folder / "found.pickle"
    given = (str(folder), str(target))
    done = run_warm(ROOT, MODULE, *given) if count == 1 else python(ROOT, *LAUNCH, "-m", MODULE, *given)
    assert done.returncode == 0, done.stderr[-2000:]
    content = pickle.loads(target.read_bytes())
    assert content["count"] == len(content["found"]) == count
    assert len(set(content["found"])) == 1, "the processes did not end with the same"
    return pickle.loads(content["found"][0])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return run(tmp_path_factory.mktemp("alone"), 1)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return run(tmp_path_factory.mktemp("together"), 2)


def test_work_that_is_shared_out_comes_back_in_order_and_is_done_once(alone: Found, together: Found) -> None:
    assert alone["order"] == together["order"] == [number**2 for number in range(7)]


def test_features_of_two_processes_are_those_of_one_and_are_computed_once(
    alone: Found, together: Found
) -> None:
    for one, other in zip(alone["cached"][:2], together["cached"][:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert together["cached"][2:] == alone["cached"][2:] == (False, True)


def test_sharded_evaluation_gives_identical_predictions(alone: Found, together: Found) -> None:
    np.testing.assert_array_equal(alone["predicted"][0], together["predicted"][0])
    np.testing.assert_allclose(alone["predicted"][1], together["predicted"][1], rtol=1e-6)
    assert len(set(alone["predicted"][0].tolist())) > 1


def test_data_parallel_tuning_is_tuning_in_one_process_at_the_same_global_batch(
    alone: Found, together: Found
) -> None:
    loss, weights, captions = alone["tuned"]
    shared_loss, shared_weights, shared_captions = together["tuned"]
    np.testing.assert_allclose(shared_loss, loss, rtol=1e-5)
    moved = max(float(np.abs(weights[name]).max()) for name in weights if "lora_B" in name)
    for name, part in weights.items():
        np.testing.assert_allclose(shared_weights[name], part, atol=1e-3 * moved, err_msg=name)
    assert moved > 1e-3, "nothing was tuned"
    assert shared_captions == captions
    assert len(captions) == 225


def test_without_a_launcher_there_is_one_process_and_it_does_everything() -> None:
    assert among({}) is ALONE
    assert list(shared_out(ALONE, str, [3, 1, 2])) == ["3", "1", "2"]


CLOCKS = {"seconds", "training_seconds", "images_per_second", "peak_bytes", "seconds_per_step"}


def without_clocks(part: dict[str, Any]) -> dict[str, Any]:
    """Take an object of JSON without what a clock says, numbers rounded."""
    kept = {name: value for name, value in part.items() if name not in CLOCKS}
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in kept.items()}


def launched(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(
        folder, "-m", "accelerate.commands.launch", "--num_processes", "2", "-m", module, *arguments
    )


def stages(copy: Path) -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_bytes(), object_hook=without_clocks)["value"]
        for path in (copy / "results" / "smoke").glob("*.json")
    }


def test_accelerate_launch_with_two_processes_gives_the_results_of_one(tmp_path: Path) -> None:
    """The command of the README, on all stages that compute: those that follow read text only."""
    one, two = (copy_parts(tmp_path / name, "pipeline", "experiments", "profiles") for name in ("one", "two"))
    wanted = ["run", "zero_shot", "vit", "cnn", "variants", "--profile", "smoke"]
    said = {}
    for copy, run_there in ((one, run_warm), (two, launched)):
        done = run_there(copy, "experiments", *wanted)
        assert done.returncode == 0, done.stderr[-2000:]
        said[copy] = done.stdout
    results, shared = stages(one), stages(two)
    assert set(results) == {"zero_shot", "vit", "cnn", "align", "lora", "generate", "variants"}
    for stage, value in results.items():
        assert shared[stage] == value, stage
    assert said[two].count("zero_shot is missing") == 1, "only the main process speaks"


ASKED = {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("environ", "command", "count"),
    [
        ({}, ["bash"], None),
        ({**ASKED, "RANK": "0"}, ["accelerate", "launch", "--num_processes", "2"], None),
        ({"ACCELERATE_MIXED_PRECISION": "no"}, ["accelerate", "launch"], None),
        (ASKED, ["accelerate", "launch", "--num_processes", "2"], "2"),
        (ASKED, ["accelerate", "launch", "--num-processes=3", "-m", "experiments"], "3"),
    ],
)
def test_the_processes_that_a_launcher_did_not_start_are_started(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], command: list[str], count: str | None
) -> None:
    started: list[list[str]] = []

    def start(command: list[str], **options: Any) -> Any:
        started.append(command)
        assert not {name for name in options["env"] if name.startswith(("ACCELERATE", "MASTER"))}
        return subprocess.CompletedProcess(command, 7)

    monkeypatch.setattr("pipeline.launching._launcher", lambda: command)
    monkeypatch.setattr("pipeline.launching.subprocess.run", start)
    monkeypatch.setattr(sys, "argv", ["experiments", "run", "--profile", "smoke"])
    assert start_those_asked_for(environ) == (7 if count else None)
    counts = [command[command.index("--num_processes") + 1] for command in started]
    assert counts == ([count] if count else [])
    assert all(command[-3:] == ["run", "--profile", "smoke"] for command in started)


def test_a_launcher_that_does_not_say_how_many_is_told_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["accelerate", "launch", "--config_file", "x"]
    monkeypatch.setattr("pipeline.launching._launcher", lambda: command)
    assert "add --multi_gpu" in refusal(start_those_asked_for, ASKED)
