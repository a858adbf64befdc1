import json
import re
import shutil
import threading
from pathlib import Path

import pytest

from pipeline import freshness, store
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.stage import pipeline
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.toy import STAGES, Number, ToyProfile, make_toy, rewrite, run

MARKING = """
from tests.support.toy import Sum


def first(config, inputs, context):
    mark = context.scratch / "mark"
    seen = mark.exists()
    mark.touch()
    return Sum(total=int(seen))
"""


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
    assert list(stored) == [*("stage", "profile", "key", "provenance", "seal", "artefacts", "value")]
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


def test_a_forced_stage_is_computed_again_from_an_empty_folder_although_it_is_fresh(toy: Project) -> None:
    rewrite(toy, "first", MARKING)
    run(toy)
    before = store.path_of(toy, "second").stat().st_mtime_ns
    said = run(toy, "first", force=["first"])
    assert "first is fresh: it is computed again all the same" in said
    assert "first: total 0 -> 0" in said, "it found the mark that the run before had left"
    assert store.path_of(toy, "second").stat().st_mtime_ns == before


def test_a_stage_whose_folder_is_a_link_is_computed_again_and_what_it_leads_to_stays(
    toy: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run(toy, "first")
    (scratch,) = (path for path in (toy.cache / "first").iterdir() if path.is_dir())
    elsewhere = tmp_path_factory.mktemp("disk") / "kept"
    scratch.rename(elsewhere)
    scratch.symlink_to(elsewhere)
    for _ in range(2):
        assert "first: total" in run(toy, "first", force=["first"])
    assert (elsewhere / "complete").is_file()
    assert not [*scratch.parent.glob("*-before")]


def test_a_forced_run_that_was_killed_is_gone_on_with_by_the_next(toy: Project) -> None:
    rewrite(toy, "first", MARKING)
    run(toy)
    (mark,) = toy.cache.glob("first/*/complete")
    mark.unlink()  # as a killed run leaves it
    assert "first: total 0 -> 1" in run(toy, "first", force=["first"])


@pytest.mark.parametrize("force", [["first"], []])
@pytest.mark.parametrize("half", [True, False])
def test_what_a_forced_run_that_was_killed_had_set_aside_is_put_back_or_gone(
    toy: Project, force: list[str], half: bool
) -> None:
    rewrite(toy, "first", MARKING)
    run(toy)
    (scratch,) = toy.cache.glob("first/*")
    aside = scratch.with_name(f"{scratch.name}-before")
    shutil.copytree(scratch, aside)  # as a killed run leaves it
    (aside / "older").touch()
    if half:
        (scratch / "complete").unlink()
    run(toy, "first", force=force)
    assert [*toy.cache.glob("first/*")] == [scratch]
    assert (scratch / "complete").exists()
    assert (scratch / "older").exists() == (half and not force)


def test_what_a_stage_left_is_still_there_if_it_cannot_be_computed_again(toy: Project) -> None:
    rewrite(
        toy,
        "first",
        "from pipeline.errors import UserError\nfrom tests.support.toy import Sum\n\n\n"
        "def first(config, inputs, context):\n"
        "    if (context.project.root / 'unplugged').exists():\n"
        "        raise UserError('the photos are gone')\n"
        "    (context.scratch / 'adapter').touch()\n    return Sum(total=1)\n",
    )
    run(toy)
    (toy.root / "unplugged").touch()
    with pytest.raises(UserError, match="the photos are gone"):
        run(toy, "first", force=["first"])
    assert {path.name for path in toy.cache.glob("first/*/*")} == {"adapter", "complete"}
    (toy.root / "unplugged").unlink()
    run(toy, "first", force=["first"])
    assert len(list(toy.cache.glob("first/*"))) == 1, "what was set aside is gone"


def test_after_a_run_new_figures_stand_beside_the_older_ones_and_counts_are_counts(toy: Project) -> None:
    first = run(toy)
    assert "first: total 1\nsecond" in first
    assert "0000" not in first
    said = run(make_toy(toy.root, ToyProfile(one=Number(number=43_008))))
    assert said.endswith("What was computed:\nfirst: total 1 -> 43008\nsecond: total 3 -> 43010\n")
    store.path_of(toy, "first").write_text("{}")
    assert "first: total 1\n" in run(toy, "first"), "what cannot be read is no older figure"


def test_a_pipeline_must_name_inputs_before_their_users() -> None:
    with pytest.raises(ValueError, match="second"):
        pipeline(STAGES["second"], STAGES["first"])
