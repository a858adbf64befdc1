"""Results in the form of an earlier version: named, left where they are, and computed again on request."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import freshness, store
from pipeline.errors import UserError
from pipeline.project import Project
from tests.support.toy import make_toy, run


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose results were all computed, of which the first is then of an older form."""
    monkeypatch.syspath_prepend(str(tmp_path))
    project = make_toy(tmp_path)
    run(project)
    path = store.path_of(project, "first")
    path.write_text(path.read_text().replace('"config":', '"section":'))
    yield project
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def test_a_result_of_an_older_form_is_stale_and_says_so_and_what_builds_on_it_stays(toy: Project) -> None:
    found = freshness.states(toy, toy.stages)
    assert {name: state.state for name, state in found.items()} == {"first": "stale", "second": "fresh"}
    assert "the form of an earlier version" in found["first"].why[0]


def test_asking_and_reading_leave_it_as_it_is(toy: Project) -> None:
    before = store.path_of(toy, "first").read_bytes()
    freshness.states(toy, toy.stages)
    with pytest.raises(UserError, match="run `python -m experiments run first --profile toy`"):
        store.read(toy, "first")
    assert store.path_of(toy, "first").read_bytes() == before


def test_a_run_computes_it_again(toy: Project) -> None:
    assert "first is stale: its file has the form of an earlier version" in run(toy, "first")
    assert store.read(toy, "first").value.total == 1
    assert freshness.of(toy, "first").state == "fresh"


def test_a_file_that_is_half_a_result_or_another_stages_is_no_older_form(toy: Project) -> None:
    path = store.path_of(toy, "first")
    for content in (path.read_text()[:-10], path.read_text().replace('"first"', '"third"')):
        path.write_text(content)
        assert freshness.of(toy, "first").state == "missing"
