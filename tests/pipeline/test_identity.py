"""Code that changes while a run is under way: what ran is what the key says, or nothing ran."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline import freshness, store
from pipeline.closure import Code
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.runner import bring_up_to_date
from pipeline.stage import Data, Identity, Stage, pipeline
from tests.support.toy import Number, Sum, ToyProfile, forget, make_toy, rewrite, run

EDITING = """
from pathlib import Path

from tests.support.toy import Sum


def {stage}(config, inputs, context):
    file = Path({file!r})
    file.write_text(file.read_text().replace({old!r}, {new!r}))
    {then}
"""


def editing(stage: str, file: Path, old: str, new: str, then: str) -> str:
    """Return the code of a stage that edits a file while it runs."""
    return EDITING.format(stage=stage, file=str(file), old=old, new=new, then=then)


def with_an_edit_by_first(toy: Project, file: str) -> None:
    """Let the first stage edit a file of the second, as a user may while it runs."""
    path = toy.root / "toy" / file
    rewrite(toy, "first", editing("first", path, "return", "return 5 +", "return Sum(total=1)"))


@pytest.mark.parametrize("file", ["second.py", "arithmetic.py"])
def test_code_that_changed_before_it_was_imported_is_not_run(toy: Project, file: str) -> None:
    with_an_edit_by_first(toy, file)
    module = f"toy.{Path(file).stem}"
    with pytest.raises(UserError, match=rf"second changed after this run began \({module}\): run the same"):
        run(toy)
    assert freshness.of(toy, "first").state == "fresh"
    assert freshness.of(toy, "second").state == "missing"


def test_code_that_changes_while_it_is_imported_is_not_run(toy: Project) -> None:
    path = toy.root / "toy" / "second.py"
    edit = f"with open({str(path)!r}, 'a') as file:\n    file.write('VALUE = 1\\n')\n"
    path.write_text(edit + path.read_text())
    with pytest.raises(UserError, match="second changed after this run began"):
        run(toy)
    assert freshness.of(toy, "second").state == "missing"


def test_code_whose_compiled_copy_is_of_older_code_is_not_run(
    toy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    run(toy)
    path = toy.root / "toy" / "arithmetic.py"
    as_before = path.stat()
    path.write_text(path.read_text().replace("a + b", "a - b"))
    os.utime(path, ns=(as_before.st_atime_ns, as_before.st_mtime_ns))  # as `touch -r` does
    forget()
    total = store.read(toy, "second").value.total
    with pytest.raises(UserError, match=r"compiled copies of older code \(toy.arithmetic\).*run the same"):
        run(toy)
    assert freshness.of(toy, "second").state == "stale"
    forget()
    run(toy)
    assert store.read(toy, "second").value.total != total


def test_a_comment_that_is_added_during_a_run_stops_nothing(toy: Project) -> None:
    path = toy.root / "toy" / "second.py"
    rewrite(toy, "first", editing("first", path, "return", "# x\n    return", "return Sum(total=1)"))
    assert "stale" not in run(toy)


def test_a_result_of_code_that_changed_while_it_ran_is_stored_as_the_old_codes_and_is_stale(
    toy: Project,
) -> None:
    path = toy.root / "toy" / "arithmetic.py"
    then = "from toy.arithmetic import add\n    return Sum(total=add(1, 2))"
    rewrite(toy, "second", editing("second", path, "a + b", "a * b", then))
    before = freshness.of(toy, "second").key
    said = run(toy)
    stored = store.read(toy, "second")
    # The old code ran, although it is imported only after the edit, and the result is that code's.
    assert stored.value.total == 3
    assert stored.provenance.ingredients.code != {}
    found = freshness.of(toy, "second")
    assert found.why == ("code: toy.arithmetic has changed",)
    assert found.key != stored.key
    assert before != stored.key, "the first stage was missing then"
    assert "second: this changed while it ran" in said
    assert "code: toy.arithmetic has changed" in said
    assert "Run the same command again: second became stale while it ran." in said


def test_a_scratch_folder_is_that_of_the_key_although_the_code_changes(toy: Project) -> None:
    path = toy.root / "toy" / "first.py"
    then = "(context.scratch / 'mark').touch()\n    return Sum(total=1)"
    rewrite(toy, "first", editing("first", path, "total=1", "total=2", then))
    run(toy, "first")
    key = store.read(toy, "first").key
    assert (toy.cache / "first" / key[:16] / "mark").is_file()
    assert freshness.of(toy, "first").state == "stale"


def test_a_package_that_only_an_unused_part_needs_may_be_absent(toy: Project) -> None:
    arithmetic = toy.root / "toy" / "arithmetic.py"
    arithmetic.write_text("import nowhere_to_be_found\n" + arithmetic.read_text())
    with pytest.raises(UserError, match=r"Stage second needs the package nowhere_to_be_found"):
        run(toy)
    rewrite(
        toy,
        "second",
        "from tests.support.toy import Sum\n\n\ndef second(config, inputs, context):\n"
        "    if config.number > 99:\n        import toy.arithmetic\n    return Sum(total=7)\n",
    )
    run(toy)
    assert store.read(toy, "second").value.total == 7


class Other:
    """A process of a launch whose main process says something else where it says a hash of its code."""

    rank = 1

    def __init__(self, altered: bool) -> None:
        self.altered = altered
        self.asked = 0

    def broadcast(self, value: Any) -> Any:
        self.asked += 1
        if self.asked > 1:
            raise InterruptedError
        return f"{value}, altered" if self.altered else value

    def barrier(self) -> None:
        pass


def test_a_process_with_other_code_than_the_main_one_stops(toy: Project) -> None:
    with pytest.raises(UserError, match="This process has other code or another profile than the main one"):
        bring_up_to_date(toy, toy.stages, Console(quiet=True), Other(altered=True))
    with pytest.raises(InterruptedError):  # it went on to ask what is to be done
        bring_up_to_date(toy, toy.stages, Console(quiet=True), Other(altered=False))


@pytest.mark.parametrize("change", ["code", "option"])
def test_what_the_processes_compare_follows_code_and_options(toy: Project, change: str) -> None:
    said: list[str] = []

    class Listening(Other):
        def broadcast(self, value: Any) -> Any:
            said.append(value)
            return super().broadcast(value)

    with pytest.raises(InterruptedError):
        bring_up_to_date(toy, toy.stages, Console(quiet=True), Listening(altered=False))
    if change == "code":
        path = toy.root / "toy" / "arithmetic.py"
        path.write_text(path.read_text().replace("a + b", "a - b"))
    other = make_toy(toy.root, ToyProfile(two=Number(number=2 if change == "code" else 3)))
    with pytest.raises(InterruptedError):
        bring_up_to_date(other, toy.stages, Console(quiet=True), Listening(altered=False))
    assert said[0] != said[2]


def test_every_module_of_a_stage_is_imported_before_it_is_called(toy: Project) -> None:
    rewrite(
        toy,
        "second",
        "import sys\n\nfrom tests.support.toy import Sum\n\n\ndef second(config, inputs, context):\n"
        "    total = 'toy.arithmetic' in sys.modules\n    import toy.arithmetic\n"
        "    return Sum(total=int(total))\n",
    )
    sys.modules.pop("toy.arithmetic", None)
    run(toy)
    assert json.loads(store.path_of(toy, "second").read_text())["value"] == {"total": 1}


def test_code_is_what_it_was_before_data_were_read(tmp_path: Path) -> None:
    """Reading data takes minutes, in which an edit may come; some modules are imported by then."""

    def identify(part: Any, root: Path, recorded: Path) -> Identity:
        for module in ("first", "second"):
            (root / "toy" / f"{module}.py").write_text("VALUE = 1\n")
        return Identity("0" * 64)

    data = (Data("one", identify, lambda part, root, recorded: None),)
    toy = make_toy(
        tmp_path,
        stages=pipeline(
            Stage(name="first", function="toy.first:first", result=Sum, config="one", data=data),
            Stage(name="second", function="toy.second:second", result=Sum, config="two", inputs=("first",)),
        ),
    )
    before, code = Code(tmp_path), Code(tmp_path)
    for module in ("toy.first", "toy.second"):
        before.closure(module)
    freshness.states(toy, toy.stages, code)
    assert "VALUE" in (tmp_path / "toy" / "second.py").read_text()
    for module in ("toy.first", "toy.second"):
        assert code.closure(module) == before.closure(module)
