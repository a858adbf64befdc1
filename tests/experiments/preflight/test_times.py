from pathlib import Path

import pytest

from experiments.preflight.times import lines_of_times
from experiments.project import open_project
from pipeline import store
from pipeline.project import Project
from tests.support.copies import copy_parts
from tests.support.small_profiles import project

OF_OFFLINE = "Time not of this profile, but of the results of offline"


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A project without results of its own, in a folder with those that come with the project."""
    return project(copy_parts(tmp_path, "profiles", "results"))


def record(own: Project, stage: str, seconds: float, threads: int = 1) -> None:
    """Give a project the result of a stage, as if it had taken so long on another machine."""
    committed = store.read(open_project("offline", own.root), stage)
    about = {"seconds": seconds, "device": "Abacus", "threads": threads}
    made = committed.provenance.model_copy(update=about)
    store.write(own, committed.model_copy(update={"profile": own.profile.name, "provenance": made}))


def stages_in(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("  ")]


def test_a_new_profile_is_shown_the_committed_times_with_their_sizes_and_no_sum(own: Project) -> None:
    heading, *lines = lines_of_times(own, tuple(own.stages))
    assert heading == (
        f"{OF_OFFLINE} (45,000 training images and 10,000 test images of 10 classes, 50 photos to tune on "
        "and 60 to compare on):"
    )
    assert stages_in(lines) == list(own.stages)
    made = store.read(open_project("offline", own.root), "vit").provenance
    assert f"on {made.device}, {made.threads} threads" in next(line for line in lines if " vit " in line)


def test_a_stage_that_ran_here_is_shown_its_own_time_and_the_others_the_committed(own: Project) -> None:
    record(own, "cnn", 700.0, threads=2)
    record(own, "lora", 40.0)
    heading, cnn, lora, other, *lines = lines_of_times(own, ("lora",))
    assert heading == "Time when last run, since its last checkpoint if it went on from one:"
    assert cnn == "  cnn         12 min  on Abacus, 2 threads; fresh, so that it does not run again"
    assert lora == "  lora          40 s  on Abacus, 1 thread"
    assert other.startswith(OF_OFFLINE)
    assert lines.pop() == "  together      40 s  for 1 stage to run"
    assert set(stages_in(lines)) == {*own.stages} - {"cnn", "lora"}
    assert "together" not in "\n".join(lines_of_times(own, ("lora", "vit"))), "of which one is another's"


def test_stages_of_which_no_time_is_known_are_named(own: Project) -> None:
    record(own, "cnn", 40.0)
    (own.root / "results" / "offline" / "vit.json").write_text("{}")
    (own.root / "results" / "offline" / "lora.json").unlink()
    lines = list(lines_of_times(own, ("cnn", "vit", "lora")))
    assert lines[-1] == "Time not known, since no result says it: vit, lora."
    assert "align" in stages_in(lines)
    assert OF_OFFLINE not in "\n".join(lines_of_times(open_project("offline", own.root), ()))


def test_without_committed_results_or_their_profile_nothing_is_said_to_be_known(tmp_path: Path) -> None:
    unknown = ["Time not known, since no result says it: cnn."]
    assert list(lines_of_times(project(tmp_path), ("cnn",))) == unknown
    copy_parts(tmp_path / "other", "profiles")
    assert list(lines_of_times(project(tmp_path / "other"), ("cnn",))) == unknown
