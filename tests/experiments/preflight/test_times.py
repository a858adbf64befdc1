import json
from pathlib import Path
from typing import Any

import pytest

from experiments.preflight.times import RecordedTime, RecordedTimes, lines_of_times, recorded_times
from experiments.project import open_project
from pipeline import store
from pipeline.project import Project
from tests.support.copies import copy_parts
from tests.support.small_profiles import project


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return copy_parts(tmp_path, "profiles", "results")


def recorded(folder: Path, stage: str) -> dict[str, Any]:
    return json.loads((folder / "results" / "offline" / f"{stage}.json").read_text())["provenance"]


def give(own: Project, stage: str, seconds: float) -> None:
    """Give a project the result of a stage, as if it had taken so long on another machine."""
    committed = store.read(open_project("offline", own.root), stage)
    made = committed.provenance.model_copy(update={"seconds": seconds, "device": "Abacus", "threads": 1})
    store.write(own, committed.model_copy(update={"profile": own.profile.name, "provenance": made}))


def test_a_profiles_own_results_say_what_each_stage_took_and_where(copied: Path) -> None:
    times = recorded_times(open_project("offline", copied))
    assert times.committed == ()
    assert [each.stage for each in times.own] == list(open_project("offline", copied).stages)
    for each in times.own:
        made = recorded(copied, each.stage)
        assert (each.seconds, each.device, each.threads) == (made["seconds"], made["device"], made["threads"])


def test_a_new_profile_is_shown_the_committed_times_with_their_sizes(copied: Path) -> None:
    times = recorded_times(project(copied))
    assert times.own == ()
    assert {each.stage: each.seconds for each in times.committed}["vit"] == recorded(copied, "vit")["seconds"]
    assert times.sizes == (
        "50,000 training images and 10,000 test images of 10 classes, "
        "50 photos to tune on and 60 to compare on"
    )


def test_a_stage_that_ran_here_is_shown_its_own_time_and_the_others_the_committed(copied: Path) -> None:
    own = project(copied)
    give(own, "cnn", 7.0)
    times = recorded_times(own)
    assert times.own == (RecordedTime("cnn", 7.0, "Abacus", 1),)
    assert {each.stage for each in times.committed} == {*own.stages} - {"cnn"}


def test_without_committed_results_or_their_profile_nothing_is_said_to_be_known(tmp_path: Path) -> None:
    assert recorded_times(project(tmp_path)) == RecordedTimes()
    copy_parts(tmp_path / "other", "profiles")
    assert recorded_times(project(tmp_path / "other")) == RecordedTimes()


def test_a_result_that_cannot_be_read_has_no_time(copied: Path) -> None:
    (copied / "results" / "offline" / "cnn.json").write_text("{}")
    times = recorded_times(open_project("offline", copied))
    assert "cnn" not in {each.stage for each in times.own}
    assert "vit" in {each.stage for each in times.own}


def test_own_times_are_a_table_with_their_sum_and_what_is_fresh_is_said_to_be() -> None:
    own = (RecordedTime("cnn", 700.0, "Abacus", 2), RecordedTime("lora", 40.0, "Abacus", 1))
    text = list(lines_of_times(RecordedTimes(own), ("lora",)))
    assert "  cnn         12 min  on Abacus, 2 threads; fresh, so that it does not run again" in text
    assert "  lora          40 s  on Abacus, 1 thread" in text
    assert "  together      40 s  for 1 stage to run" in text


def test_times_of_the_committed_results_are_marked_as_such_and_not_summed_up() -> None:
    own, committed = (RecordedTime(stage, 40.0, "Abacus", 2) for stage in ("cnn", "vit"))
    text = "\n".join(lines_of_times(RecordedTimes((own,), (committed,), "3 images"), ("cnn", "vit")))
    assert "Time not of this profile, but of the results of offline (3 images):\n  vit " in text
    assert "together" not in text
    assert "not known" not in text


def test_stages_of_which_no_time_is_known_are_named() -> None:
    own = (RecordedTime("cnn", 40.0, "Abacus", 2),)
    text = list(lines_of_times(RecordedTimes(own), ("cnn", "vit", "lora")))
    assert "Time not known, since no result says it: vit, lora." in text
    assert not [line for line in text if "together" in line]
