"""How long each stage took when it was last run, as its result says, and in lines of text."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from experiments.preflight.findings import counted
from experiments.project import open_project
from pipeline import store
from pipeline.errors import UserError
from pipeline.project import Project

COMMITTED = "offline"
"""The profile whose results come with the project."""

_NAME, _TIME = 10, 7
"""Characters of a stage's name, and of its time."""


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
    own = _recorded(project, list(project.stages))
    known = {each.stage for each in own}
    others = [stage for stage in project.stages if stage not in known]
    try:
        committed = open_project(COMMITTED, project.root)
    except UserError:  # a project may do without that profile
        return RecordedTimes(own)
    return RecordedTimes(own, _recorded(committed, others), _sizes(committed))


def lines_of_times(times: RecordedTimes, to_run: Collection[str]) -> Iterator[str]:
    """Yield a line for each time, and what the stages `to_run` took together, or those without any time."""
    if times.own:
        yield "Time when last run, since its last checkpoint if it went on from one:"
        for each in times.own:
            yield _line(each) + ("" if each.stage in to_run else "; fresh, so that it does not run again")
    if times.committed:
        sizes = times.sizes and f" ({times.sizes})"
        yield f"Time not of this profile, but of the results of {COMMITTED}{sizes}:"
        yield from map(_line, times.committed)
    own = {each.stage: each.seconds for each in times.own}
    known = {*own, *(each.stage for each in times.committed)}
    unknown = [stage for stage in to_run if stage not in known]
    if unknown:
        yield f"Time not known, since no result says it: {', '.join(unknown)}."
    # Sums are of the profile's own times alone: another's would be read as an estimate.
    elif to_run and own.keys() >= {*to_run}:
        total = _in_time(sum(own[stage] for stage in to_run))
        yield f"  {'together':<{_NAME}} {total:>{_TIME}}  for {counted(len(to_run), 'stage')} to run"


def _recorded(project: Project, stages: Sequence[str]) -> tuple[RecordedTime, ...]:
    found = []
    for stage in stages:
        try:
            made = store.read(project, stage).provenance
        except UserError:  # there is no result, or one of other code's
            continue
        found.append(RecordedTime(stage, made.seconds, made.device, made.threads))
    return tuple(found)


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


def _line(each: RecordedTime) -> str:
    threads = counted(each.threads, "thread")
    return f"  {each.stage:<{_NAME}} {_in_time(each.seconds):>{_TIME}}  on {each.device}, {threads}"


def _in_time(seconds: float) -> str:
    """Return a duration as one would say it, such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
