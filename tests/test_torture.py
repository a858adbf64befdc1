"""The torture notices what it is there for; itself it runs by `make torture` alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from pipeline.errors import UserError
from tests.support.copies import ROOT
from tests.torture import command, faults, planted
from tests.torture.faults import World
from tests.torture.inputs import Row
from tests.torture.processes import start
from tests.torture.trials import LOST, OTHERWISE, SILENT, TRACEBACK, Problem, Trial

FAULTS = {
    "killed at a random moment", "stopped by the keyboard", "ended by SIGTERM", "no file larger than",
    "no room when a file is put in place", "two runs at once", "a checkout that cannot be written",
    "killed at each line that writes a result", *(f"a file {way}" for way in faults.WAYS),
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> World:
    """A world of a few files, of which no fault is tried."""
    for name in ("results/mine/cnn.json", "results/mine/images.sha256", ".cache/mine/cnn/KEY/checkpoint.pt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return World(tmp_path, tmp_path, {"cnn": "a"}, {"cnn": "b"}, 1.0, ("results/mine/cnn.json",))


def test_every_kind_of_fault_is_injected_and_more_inputs_are_tried_than_were_asked_for(made: World) -> None:
    injected, tried = list(faults.trials(made)), list(command.inputs())
    assert {trial.kind for trial in injected} == FAULTS
    assert all(trial.is_fault for trial in injected) and not any(trial.is_fault for trial in tried)
    assert len(tried) >= 120


def test_each_trial_can_be_asked_for_by_its_name(made: World) -> None:
    names = Counter((trial.kind, trial.name) for trial in (*faults.trials(made), *command.inputs()))
    assert [name for name, count in names.items() if count > 1] == []
    assert {name for _, name in planted.EXPECTED} <= {"the result of captions", *(name for _, name in names)}


def refuse(root: Path) -> None:
    raise UserError("photos has no 'a.png': place it there.")


def stumble(root: Path) -> None:
    raise KeyError("a.png")


def fall(root: Path) -> None:
    raise SystemExit(3)


ENDS: dict[str, tuple[Callable[[Path], object], str, bool, list[str]]] = {
    "right": (lambda root: 1, "", True, []),
    "another value": (lambda root: 1, "", False, [SILENT]),
    "refused, as stated": (refuse, "no 'a.png'", True, []),
    "refused, and done all the same": (refuse, "no 'a.png'", False, [SILENT]),
    "refused in other words": (refuse, "no 'b.png'", True, [OTHERWISE]),
    "refused, where it is right": (refuse, "", True, [OTHERWISE]),
    "taken, where it was to be refused": (lambda root: 1, "no 'a.png'", True, [SILENT]),
    "a traceback": (stumble, "a.png", True, [TRACEBACK]),
    "another exit code": (fall, "a.png", True, [OTHERWISE]),
    "more words than anybody reads": (lambda root: refuse_at_length(), "long", True, [OTHERWISE]),
}


def refuse_at_length() -> None:
    raise UserError("long " * 1000)


@pytest.mark.parametrize("case", ENDS)
def test_an_input_that_ends_otherwise_than_stated_is_reported_by_its_kind(case: str, tmp_path: Path) -> None:
    call, refused, is_right, expected = ENDS[case]
    row = Row("a kind", case, lambda root: None, refused, lambda root, seen: is_right, call)
    assert [problem.kind for problem in row.trial().attempt(tmp_path, Random(0))] == expected


def test_a_process_that_cannot_write_a_word_does_not_go_on_as_its_parent(tmp_path: Path) -> None:
    def silent() -> None:
        import os

        os.close(1)
        os.close(2)
        raise KeyError

    assert start(tmp_path, silent).ended().code == 1


def test_a_planted_writer_loses_what_was_there_where_there_is_no_room_and_the_real_one_does_not(
    tmp_path: Path,
) -> None:
    from pipeline.files import write_whole

    def write(is_planted: bool, name: str) -> str:
        (tmp_path / name).write_bytes(b"old" * 10)

        def call() -> None:
            if is_planted:
                planted.write_not_whole()
            faults.at_most(40)()
            write_whole(tmp_path / name, b"new" * 20)

        assert start(tmp_path, call).ended().has_traceback
        return (tmp_path / name).read_text()

    assert write(False, "captions.json") == write(True, "lora.json") == "old" * 10
    assert write(True, "captions.json") != "old" * 10


def test_what_is_planted_must_be_reported_once_each_and_nothing_else() -> None:
    found = {Trial("a kind", name, lambda *_: []): [Problem(kind, "what")] for kind, name in planted.EXPECTED}
    assert planted.are_all(found)
    one = next(iter(found))
    assert not planted.are_all({**found, one: []})
    assert not planted.are_all({**found, one: [Problem(LOST, "x"), Problem(LOST, "y")]})
    assert not planted.are_all({**found, replace(one, name="other"): [Problem(LOST, "x")]})


def test_the_map_and_the_commands_know_it() -> None:
    assert "  torture/ " in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "-m tests.torture" in (ROOT / "Makefile").read_text(encoding="utf-8")
