"""How long each stage took when it was last run, as its result says."""

from collections.abc import Collection, Iterator

from experiments.preflight.findings import counted
from experiments.project import open_project
from pipeline import store
from pipeline.envelope import Provenance
from pipeline.errors import UserError
from pipeline.project import Project

COMMITTED = "offline"
"""The profile whose results come with the project."""

_NAME, _TIME = 10, 7
"""Characters of a stage's name, and of its time."""


def lines_of_times(project: Project, to_run: Collection[str]) -> Iterator[str]:
    """Yield a line for each stage's time, and one for what the stages `to_run` took together.

    Of a stage that has no result here, the time is that of the committed results, and the lines say so. Where
    nothing at all is known of stages to run, a line names these instead of a sum.
    """
    own = _recorded(project, project.stages)
    if own:
        yield "Time when last run, since its last checkpoint if it went on from one:"
        for stage, made in own.items():
            fresh = "" if stage in to_run else "; fresh, so that it does not run again"
            yield f"{_line(stage, made)}{fresh}"
    others = [stage for stage in project.stages if stage not in own]
    sizes, committed = _committed(project, others)
    if committed:
        yield f"Time not of this profile, but of the results of {COMMITTED}{sizes}:"
        yield from (_line(stage, made) for stage, made in committed.items())
    unknown = [stage for stage in to_run if stage not in {*own, *committed}]
    if unknown:
        yield f"Time not known, since no result says it: {', '.join(unknown)}."
    # Sums are of the profile's own times alone: another's would be read as an estimate.
    elif to_run and own.keys() >= {*to_run}:
        total = _in_time(sum(own[stage].seconds for stage in to_run))
        yield f"  {'together':<{_NAME}} {total:>{_TIME}}  for {counted(len(to_run), 'stage')} to run"


def _recorded(project: Project, stages: Collection[str]) -> dict[str, Provenance]:
    found = {}
    for stage in stages:
        try:
            found[stage] = store.read(project, stage).provenance
        except UserError:  # there is no result, or one of other code's
            continue
    return found


def _committed(project: Project, stages: Collection[str]) -> tuple[str, dict[str, Provenance]]:
    """Return how much data the committed results are of, in brackets, and who made those of some stages."""
    try:
        committed = open_project(COMMITTED, project.root)
    except UserError:  # a project may do without that profile
        return "", {}
    try:
        data = store.read(committed, "data_sets").value
    except UserError:  # it was never recorded
        return "", _recorded(committed, stages)
    sizes = (
        f" ({counted(data.train_images, 'training image')} and {counted(data.test_images, 'test image')} of "
        f"{counted(len(data.classes), 'class')}, {counted(len(data.tuning_names), 'photo')} to tune on and "
        f"{len(data.evaluation_names):,} to compare on)"
    )
    return sizes, _recorded(committed, stages)


def _line(stage: str, made: Provenance) -> str:
    threads = counted(made.threads, "thread")
    return f"  {stage:<{_NAME}} {_in_time(made.seconds):>{_TIME}}  on {made.device}, {threads}"


def _in_time(seconds: float) -> str:
    """Return a duration as one would say it, such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
