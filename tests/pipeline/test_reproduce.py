"""Computing results again: the toy's stages note outside of the project that they ran."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from pipeline import store
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.reproduce import reproduce
from tests.support.toy import forget, make_toy, run

STAGE = """
from pathlib import Path

from tests.support.toy import Sum


def {name}(config, inputs, context):
    world = Path({world!r})
    with (world / "runs").open("a") as runs:
        runs.write("{name} ")
    if (world / "broken").exists() and "{name}" == "second":
        raise KeyboardInterrupt
    return Sum(total=sum(each.total for each in inputs.values()) + int((world / "{name}").read_text()))
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A project that has run, in a world beside it that no key follows."""
    project, world = tmp_path / "project", tmp_path / "world"
    monkeypatch.syspath_prepend(str(project))
    world.mkdir()
    for name in ("first", "second"):
        (world / name).write_text("1")
        path = project / "toy" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAGE.format(name=name, world=str(world)))
    toy = make_toy(project)
    run(toy)
    (world / "runs").write_text("")
    yield toy
    forget()


def again(toy: Project, *names: str, force: bool = False) -> tuple[bool, str]:
    """Compute results again, and return whether all agree and the table in the end."""
    output = io.StringIO()
    agree = reproduce(toy, Console(file=output, width=200), names, force=force)
    return agree, output.getvalue().partition("Reproduced:\n")[2]


def world(toy: Project) -> Path:
    return toy.root.parent / "world"


def runs(toy: Project) -> list[str]:
    return (world(toy) / "runs").read_text().split()


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*.json")}


def test_every_stage_is_computed_again_and_the_committed_results_are_not_touched(toy: Project) -> None:
    before = files(toy.results)
    agree, table = again(toy)
    assert agree
    assert table.count("agrees") == 2
    assert runs(toy) == ["first", "second"]
    assert files(toy.results) == before


def test_a_figure_that_no_run_gives_is_noticed_and_stays_noticed(toy: Project) -> None:
    (world(toy) / "second").write_text("0")
    agree, table = again(toy)
    assert not agree
    assert re.search(
        r"first .* agrees\nsecond +total +committed 2 +fresh 1 +difference -1 .*DIFFERS\n", table
    )
    agree, table = again(toy)
    assert not agree
    assert "--force computes it anew" in table
    assert runs(toy) == ["first", "second"]


def test_one_stage_is_computed_again_from_the_committed_results_of_its_inputs(toy: Project) -> None:
    (world(toy) / "first").write_text("70")  # what a run of the input would give today
    assert again(toy, "second")[0]
    assert runs(toy) == ["second"]
    assert not again(toy, "first")[0]


def test_a_call_that_was_stopped_is_gone_on_with_and_force_begins_anew(toy: Project) -> None:
    (world(toy) / "broken").touch()
    with pytest.raises(KeyboardInterrupt):
        again(toy)
    (world(toy) / "broken").unlink()
    agree, table = again(toy)
    assert agree
    assert table.count("agrees") == 2
    assert runs(toy) == ["first", "second", "second"]
    again(toy, "first", force=True)
    assert runs(toy)[3:] == ["first"]


def test_another_committed_result_is_reproduced_for_itself(toy: Project) -> None:
    again(toy)
    (toy.root / "toy" / "first.py").write_text(
        STAGE.format(name="first", world=str(world(toy))) + "\nEDITED = 1\n"
    )
    forget()
    run(toy)
    (world(toy) / "runs").write_text("")
    assert again(toy)[0]
    assert runs(toy) == ["first", "second"]


def test_an_artefact_that_is_another_byte_by_byte_is_named_and_the_figures_decide(toy: Project) -> None:
    stored = store.read(toy, "first")
    store.write(toy, stored.model_copy(update={"artefacts": {"model": "0" * 64}}))
    agree, table = again(toy, "first")
    assert agree
    assert "model                    is not the committed one byte by byte" in table


def test_stale_or_missing_results_are_refused_before_anything_is_computed(toy: Project) -> None:
    store.path_of(toy, "first").unlink()
    for names in ((), ("second",)):
        with pytest.raises(
            UserError, match="first is missing: run `python -m experiments run --profile toy`"
        ):
            again(toy, *names)
    with pytest.raises(UserError, match="There is no stage 'third'"):
        again(toy, "third")
    assert runs(toy) == []
