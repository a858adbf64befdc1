"""The benchmarks' table: what is kept comes back, ratios are of medians, and the page shows what was kept."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from benchmarks import __main__ as command
from benchmarks.pairs import Command, in_turns, python, taken
from benchmarks.rows import ROWS
from benchmarks.table import PAGE, RESULTS, Found, Row, Spread, keep, read, table, write_page
from tests.support.copies import ROOT

ROW = Row("fast", "ours", "theirs", 0.5, "tests.benchmarks.test_table:measured")
FOUND = Found(ours=Spread.of([1, 9, 2]), theirs=Spread.of([8, 4, 3]), unit="s", remark="so")


def measured() -> Found:
    """Stand for a measurement."""
    return FOUND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a page whose table is empty."""
    for name in (RESULTS, PAGE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / PAGE, tmp_path / PAGE)
    return tmp_path


def test_a_figure_is_the_ratio_of_medians_and_told_beside_its_target(folder: Path) -> None:
    assert FOUND.figure == 0.5
    keep(folder, "fast", FOUND)
    assert read(folder)["fast"].found == FOUND
    shown = table([ROW, Row("slow", "x", "y", 1, "")], read(folder))
    assert "| 1, 2, 9 s (3 rounds) | 3, 4, 8 s (3 rounds) | **0.5** | ≤ 0.5 |" in shown
    assert "| `slow` | x | y | not measured |" in shown
    keep(folder, "fast", FOUND.model_copy(update={"theirs": None}))
    assert "| **2 s** (missed) | ≤ 0.5 s |" in table([ROW], read(folder))


def test_the_page_shows_what_was_kept_and_stays_as_it_is_otherwise() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert table(ROWS, read(ROOT)) in page
    assert {*read(ROOT)} <= {row.name for row in ROWS}


def test_the_page_around_the_table_stays(folder: Path) -> None:
    before = (folder / PAGE).read_text(encoding="utf-8")
    keep(folder, "fast", FOUND)
    write_page(folder, [ROW])
    first = (folder / PAGE).read_text(encoding="utf-8")
    write_page(folder, [ROW])
    assert (folder / PAGE).read_text(encoding="utf-8") == first != before
    assert first.splitlines()[:5] == before.splitlines()[:5]


def test_rows_that_were_never_measured_are_measured_and_others_when_they_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(command, "ROWS", (ROW,))
    count = []
    monkeypatch.setattr(sys.modules[__name__], "measured", lambda: count.append(1) or FOUND)
    for names in (None, None, ["fast"]):
        command.main(names, False)
    assert len(count) == 2
    with pytest.raises(typer.Exit) as refused:
        command.main(["slow"], False)
    assert refused.value.exit_code == 2


def test_what_a_command_takes_is_its_own_and_one_that_fails_says_why(tmp_path: Path) -> None:
    large = taken(Command(python("-c", "x = bytearray(300_000_000); x[::4096] = x[::4096]"), tmp_path))
    assert large.memory > 300e6 > taken(Command(python("-c", ""), tmp_path)).memory
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1:.*no such thing"):
        taken(Command(python("-c", "raise KeyError('no such thing')"), tmp_path))


def test_commands_run_in_turns_and_a_first_round_of_each_does_not_count(tmp_path: Path) -> None:
    ours, theirs = (Command(python("-c", f"open('order', 'a').write('{name}')"), tmp_path) for name in "ab")
    figures = iter(range(6))
    spreads = in_turns(ours, theirs, 2, lambda _: next(figures))
    assert (tmp_path / "order").read_text() == "ababab"
    assert [spread.rounds for spread in spreads] == [2, 2]
    assert [spread.least for spread in spreads] == [2, 3]


def test_every_row_names_a_function_that_takes_nothing() -> None:
    for row in ROWS:
        module, _, function = row.measured.partition(":")
        found = getattr(__import__(module, fromlist=[function]), function, SimpleNamespace())
        assert callable(found) and not found.__code__.co_argcount, row.name
