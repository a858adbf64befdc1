"""What the system, or a file that is not what it should be, refuses: a result is missing for a reason, or a
sentence says what to do before anything is computed."""

import errno
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline import freshness, progress, runner, store
from pipeline.errors import UserError, refused_by_system
from pipeline.project import Project
from tests.support.refusals import refusal
from tests.support.toy import forget, rewrite, run


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine").touch()


def unreadable(path: Path) -> None:
    path.unlink()
    path.symlink_to("/proc/self/mem")  # which nobody can read from its beginning, not even root


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (a_folder, "cannot be read (Is a directory)"),
    "what cannot be read": (unreadable, "cannot be read (Input/output error)"),
    "a pipe": (a_pipe, "cannot be read (it is a pipe)"),
    "nothing in it": (lambda path: path.write_bytes(b""), "cannot be read as a result"),
    "no text": (lambda path: path.write_bytes(b"\xff\x00\xfe"), "cannot be read as a result"),
    "lists without end": (lambda path: path.write_text("[" * 100_000), "cannot be read as a result"),
    "objects in objects": (lambda path: path.write_text('{"a":' * 90_000), "cannot be read as a result"),
    "a value that is deep": (
        lambda path: path.write_text(
            path.read_text().replace('"total": 1', f'"total": {"[" * 5_000}{"]" * 5_000}')
        ),
        "cannot be read as a result",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_result_that_cannot_be_read_is_missing_and_says_why(toy: Project, damage: str) -> None:
    run(toy)
    harm, why = DAMAGE[damage]
    harm(store.path_of(toy, "first"))
    found = freshness.states(toy, toy.stages)
    assert (found["first"].state, found["second"].state) == ("missing", "fresh")
    assert why in found["first"].why[0]
    assert store.path_of(toy, "first").name in refusal(store.read, toy, "first")


@pytest.mark.parametrize(
    "damage", [name for name in DAMAGE if name not in ("a folder", "what cannot be read", "a pipe")]
)
def test_it_is_computed_again(toy: Project, damage: str) -> None:
    run(toy)
    DAMAGE[damage][0](store.path_of(toy, "first"))
    run(toy)
    assert store.read(toy, "first").value.total == 1


def test_a_folder_in_the_place_of_a_result_is_told_before_it_is_computed_and_keeps_what_is_in_it(
    toy: Project,
) -> None:
    run(toy)
    path = store.path_of(toy, "first")
    a_folder(path)
    rewrite(toy, "first", "def first(config, inputs, context):\n    raise AssertionError('it was called')\n")
    assert refusal(run, toy) == f"{path} is a folder, where results must be written: move it away."
    assert (path / "mine").exists()


def test_a_file_in_the_place_of_a_folder_beside_a_result_is_told_before_it_is_computed(toy: Project) -> None:
    toy.results.mkdir(parents=True)
    (toy.results / "first").touch()
    assert refusal(run, toy).startswith(f"{toy.results / 'first'} is a file, where results must be written")


@pytest.mark.parametrize("place", ["results", "results/toy", "results/toy/.first.lock"])
def test_what_stands_in_the_way_of_results_or_of_a_lock_is_named(toy: Project, place: str) -> None:
    path = toy.root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    _ = path.mkdir() if path.suffix else path.touch()
    assert {state.state for state in freshness.states(toy, toy.stages).values()} == {"missing"}
    with pytest.raises(OSError) as refused:
        run(toy)
    assert str(path) in refused_by_system(refused.value)


FAILING = "def first(config, inputs, context):\n    {line}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("raise ValueError('[/INST] one\\n  two')", "Stage first failed (ValueError: [/INST] one): "),
        ("raise RuntimeError", "Stage first failed (RuntimeError): "),
        ("raise OSError('no such tokenizer')", "Stage first failed (OSError: no such tokenizer): "),
        ("raise FileNotFoundError(2, 'No', 'x.bin')", "Stage first failed (FileNotFoundError: [Errno 2] No"),
        ("first(config, inputs, context)", "Stage first failed (RecursionError: maximum recursion"),
    ],
)
def test_an_error_that_a_stage_did_not_foresee_is_one_sentence_and_its_traceback_is_kept(
    toy: Project, line: str, said: str
) -> None:
    rewrite(toy, "first", FAILING.format(line=line))
    sentence = refusal(run, toy)
    file = toy.cache / "first" / "traceback.txt"
    assert sentence.startswith(said)
    assert sentence.endswith(f"): {file} holds the whole traceback.")
    assert "Traceback (most recent call last)" in file.read_text()
    assert "toy/first.py" in file.read_text()


def test_a_traceback_that_cannot_be_written_costs_the_traceback_alone(toy: Project) -> None:
    rewrite(toy, "first", FAILING.format(line="raise ValueError('why')"))
    (toy.cache / "first" / "traceback.txt").mkdir(parents=True)
    assert refusal(run, toy) == (
        "Stage first failed (ValueError: why): its traceback could not be written (Is a directory)."
    )


@pytest.mark.parametrize("in_place", [Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_stands_in_the_place_of_a_file_of_the_cache_is_to_be_deleted(
    toy: Project, in_place: Callable[[Path], object]
) -> None:
    rewrite(toy, "first", FAILING.format(line="open(context.scratch / 'kept')"))
    run_once = refusal(run, toy)
    assert "traceback" in run_once
    (scratch,) = (path for path in (toy.cache / "first").iterdir() if path.is_dir())
    in_place(scratch / "kept")
    assert refusal(run, toy).startswith(f"{scratch / 'kept'} is no file that can be used (")
    assert refusal(run, toy).endswith("): delete it, then run the same command again.")


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "OSError(28, 'No space left', 'x')"])
def test_the_keyboard_and_a_full_disk_are_no_errors_of_a_stage(toy: Project, error: str) -> None:
    rewrite(toy, "first", FAILING.format(line=f"raise {error}"))
    with pytest.raises((KeyboardInterrupt, OSError)):
        run(toy)
    assert not [*toy.cache.rglob("traceback*")]


def test_what_another_process_says_of_an_error_stands_in_a_file_of_its_own(toy: Project) -> None:
    class Second:
        rank = 1

        def broadcast(self, value: Any) -> Any:
            return value

    call: Any = type("", (), {})()
    call.project, call.is_main = toy, False
    call.stage, call.scratch = toy.stages["first"], toy.cache / "first" / "0"
    with pytest.raises(UserError, match="traceback-of-another-process"), runner._keeping_the_traceback(call):
        raise ValueError("x")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS])
def test_a_disk_that_is_full_when_a_result_is_written_leaves_the_last_one(
    toy: Project, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(toy)
    before = store.path_of(toy, "first").read_bytes()
    rewrite(toy, "first", (toy.root / "toy" / "first.py").read_text() + "VALUE = 1\n")

    def full(path: Path, content: bytes) -> None:
        raise OSError(number, "No", str(path))

    monkeypatch.setattr(store, "write_whole", full)
    with pytest.raises(OSError):
        run(toy)
    monkeypatch.undo()
    assert store.path_of(toy, "first").read_bytes() == before
    forget()


MARKUP = "[INST] a {} [/INST] en[x](y)semble [bold]:dog: [link=file:///x]"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_looks_like_markup_is_printed_as_it_is(is_terminal: bool) -> None:
    output = io.StringIO()
    console = Console(file=output, width=200, force_terminal=is_terminal)
    with progress.shown("first", console) as report:
        report(1, 2, MARKUP)
    progress.say(console, MARKUP)
    assert output.getvalue().count(MARKUP) == 2


def test_a_run_prints_the_old_and_new_words_of_an_option_as_they_are(toy: Project) -> None:
    run(toy)
    path = store.path_of(toy, "first")
    stored = json.loads(path.read_text())
    stored["provenance"]["ingredients"]["config"]["number"] = MARKUP
    path.write_text(json.dumps(stored))
    assert f'number was "{MARKUP}", is 1' in run(toy)
