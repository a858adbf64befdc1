"""A check's findings as lines of text."""

from collections.abc import Iterator

from experiments.preflight.check import Checked
from experiments.preflight.recorded import COMMITTED, RecordedTime
from experiments.preflight.wording import counted, in_time

_NAME, _TIME = 10, 7
"""Characters of a stage's name, and of its time."""


def lines(checked: Checked, profile: str) -> Iterator[str]:
    """Yield what was read, what to know, how long stages took, and what to put right."""
    found = checked.findings
    yield f"profile {profile}"
    for heading, sentences in (("Read:", found.read), ("Remarks:", found.remarks)):
        yield from _list(heading, sentences)
    yield from _times(checked)
    yield from _list("Problems:", found.problems)
    if found.problems:
        yield f"{counted(len(found.problems), 'problem')}: put them right and check again."
    else:
        yield f"No problem was found: python -m experiments run --profile {profile}"


def _list(heading: str, sentences: tuple[str, ...]) -> Iterator[str]:
    if sentences:
        yield heading
        yield from (f"  {sentence}" for sentence in sentences)


def _times(checked: Checked) -> Iterator[str]:
    times = checked.times
    if times.own:
        yield "Time when last run, since its last checkpoint if it went on from one:"
        for each in times.own:
            fresh = "" if each.stage in checked.to_run else "; fresh, so that it does not run again"
            yield f"{_time(each)}{fresh}"
    if times.committed:
        yield f"Time not of this profile, but of the results of {COMMITTED}{_of(times.sizes)}:"
        yield from map(_time, times.committed)
    yield from _together(checked)


def _of(sizes: str) -> str:
    return sizes and f" ({sizes})"


def _time(each: RecordedTime) -> str:
    threads = counted(each.threads, "thread")
    return f"  {each.stage:<{_NAME}} {in_time(each.seconds):>{_TIME}}  on {each.device}, {threads}"


def _together(checked: Checked) -> Iterator[str]:
    """Yield what the stages that would run took together, or those of which nothing is known."""
    own = {each.stage: each.seconds for each in checked.times.own}
    known = {*own, *(each.stage for each in checked.times.committed)}
    unknown = [stage for stage in checked.to_run if stage not in known]
    if unknown:
        yield f"Time not known, since no result says it: {', '.join(unknown)}."
    # Sums are of the profile's own times alone: another's would be read as an estimate.
    elif checked.to_run and own.keys() >= {*checked.to_run}:
        total = in_time(sum(own[stage] for stage in checked.to_run))
        yield f"  {'together':<{_NAME}} {total:>{_TIME}}  for {counted(len(checked.to_run), 'stage')} to run"
