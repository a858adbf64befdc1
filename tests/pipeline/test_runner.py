import io
import json
import re
import threading
from pathlib import Path

import pytest
from rich.console import Console

from pipeline import freshness, store
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.reproduce import reproduce
from pipeline.stage import pipeline
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.stored import put
from tests.support.toy import STAGES, Number, Sum, ToyProfile, make_toy, rewrite, run

MARKING = """
from tests.support.toy import Sum


def first(config, inputs, context):
    mark = context.scratch / "mark"
    seen = mark.exists()
    mark.touch()
    return Sum(total=int(seen))
"""


def reproduced(project: Project) -> tuple[bool, str]:
    """Compute every result again, and return whether all agree and what was printed."""
    output = io.StringIO()
    return reproduce(project, Console(file=output, width=200)), output.getvalue()


def totals(project: Project) -> dict[str, int]:
    return {name: store.read(project, name).value.total for name in project.stages}


def test_a_run_computes_every_stage_from_its_inputs_and_then_nothing_more(toy: Project) -> None:
    run(toy)
    assert totals(toy) == {"first": 1, "second": 3}
    before = {name: store.path_of(toy, name).stat().st_mtime_ns for name in toy.stages}
    assert "first" not in run(toy)
    assert {name: store.path_of(toy, name).stat().st_mtime_ns for name in toy.stages} == before


def test_asking_for_one_stage_computes_what_it_builds_on_and_leaves_later_ones_alone(toy: Project) -> None:
    run(toy, "first")
    assert freshness.of(toy, "second").state == "missing"
    store.path_of(toy, "first").unlink()
    run(toy, "second")
    assert totals(toy) == {"first": 1, "second": 3}


def test_only_what_changed_is_computed_again(toy: Project) -> None:
    run(toy)
    changed = make_toy(toy.root, ToyProfile(two=Number(number=5)))
    output = run(changed)
    assert "second is stale: profile: number was 2, is 5" in output
    assert "first is" not in output
    assert totals(changed) == {"first": 1, "second": 6}


def test_a_result_records_its_circumstances_and_the_result_on_disk_has_seven_parts(toy: Project) -> None:
    run(toy)
    stored = json.loads(store.path_of(toy, "second").read_text())
    assert list(stored) == [*("stage", "profile", "key", "provenance", "value_sha256", "artefacts", "value")]
    assert stored["provenance"]["seed"] == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", stored["provenance"]["started"])
    assert set(stored["provenance"]["ingredients"]["code"]) >= {"toy.second", "toy.arithmetic"}


def test_a_stage_whose_package_is_not_installed_says_what_to_install(toy: Project) -> None:
    rewrite(toy, "first", "import nowhere_to_be_found\n")
    with pytest.raises(UserError, match=r"needs the package nowhere_to_be_found.*make experiments"):
        run(toy)


def test_two_runs_at_once_compute_each_stage_once(toy: Project) -> None:
    outputs: list[str] = []
    runs = [threading.Thread(target=lambda: outputs.append(run(toy))) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert len(outputs) == 2
    assert "".join(outputs).count("first is missing") == 1
    assert totals(toy) == {"first": 1, "second": 3}


def test_killed_at_any_line_the_old_results_stay_and_the_next_run_finishes(tmp_path: Path) -> None:
    done = python(ROOT, "tests/support/kill_sweep.py", tmp_path, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["wrong"] == []
    assert outcome["points"] > 100


def test_reproduction_notices_a_committed_figure_that_no_run_gives(toy: Project) -> None:
    run(toy)
    put(toy, "second", Sum(total=4))
    agrees, said = reproduced(toy)
    assert not agrees
    assert re.search(r"second +total +committed 4.0000 +fresh 3.0000 .*DIFFERS", said)
    assert totals(toy)["second"] == 4, "the committed result is not touched"


def test_reproduction_starts_from_an_empty_folder_and_agrees_with_what_repeats_itself(toy: Project) -> None:
    run(toy)
    rewrite(toy, "first", MARKING)
    run(toy)
    agrees, said = reproduced(toy)
    assert agrees
    assert said.count("agrees") == 2


def test_reproduction_refuses_stale_results_before_computing_anything(toy: Project) -> None:
    with pytest.raises(UserError, match="first is missing: run `python -m experiments run --profile toy`"):
        reproduced(toy)


def test_a_pipeline_must_name_inputs_before_their_users() -> None:
    with pytest.raises(ValueError, match="second"):
        pipeline(STAGES["second"], STAGES["first"])
