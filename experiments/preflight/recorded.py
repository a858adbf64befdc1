"""How long each stage took when it was last run, as its result says."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.preflight.wording import counted
from experiments.project import open_project
from pipeline import store
from pipeline.errors import UserError
from pipeline.project import Project

COMMITTED = "offline"
"""The profile whose results come with the project."""


@dataclass(frozen=True)
class RecordedTime:
    """The seconds that a stage took, and on which machine, with how many threads.

    A run that went on from a checkpoint counts from there.
    """

    stage: str
    seconds: float
    device: str
    threads: int


@dataclass(frozen=True)
class RecordedTimes:
    """What is known of the time that a profile's stages take.

    `own` are times of the profile's own results. `committed` are times from the profile `COMMITTED`, of
    stages that have no result here; `sizes` says how much data that was.
    """

    own: tuple[RecordedTime, ...] = ()
    committed: tuple[RecordedTime, ...] = ()
    sizes: str = ""


def recorded_times(project: Project) -> RecordedTimes:
    """Read the times of a profile's stages from its results, and of those without one from the committed."""
    own = _times(project, list(project.stages))
    known = {each.stage for each in own}
    others = [stage for stage in project.stages if stage not in known]
    try:
        committed = open_project(COMMITTED, project.root)
    except UserError:  # a project may do without that profile
        return RecordedTimes(own)
    return RecordedTimes(own, _times(committed, others), _sizes(committed))


def _times(project: Project, stages: Sequence[str]) -> tuple[RecordedTime, ...]:
    return tuple(found for stage in stages if (found := _time(project, stage)))


def _time(project: Project, stage: str) -> RecordedTime | None:
    try:
        made = store.read(project, stage).provenance
    except UserError:  # there is no result, or one of other code's
        return None
    return RecordedTime(stage, made.seconds, made.device, made.threads)


def _sizes(project: Project) -> str:
    """Return how much data a profile's results are of, empty if that was never recorded."""
    try:
        data = store.read(project, "data_sets").value
    except UserError:
        return ""
    return (
        f"{counted(data.train_images, 'training image')} and {counted(data.test_images, 'test image')} of "
        f"{counted(len(data.classes), 'class')}, {counted(len(data.tuning_names), 'photo')} to tune on and "
        f"{len(data.evaluation_names):,} to compare on"
    )
