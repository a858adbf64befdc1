"""A check's findings as lines of text."""

from collections.abc import Iterator

from experiments.checking.check import Checked
from experiments.checking.times import StageTime
from experiments.checking.wording import counted, in_time


def lines(checked: Checked, profile: str) -> Iterator[str]:
    """Yield what was read, what to know, how long a run takes, and what to put right."""
    found = checked.findings
    yield f"profile {profile}"
    for heading, sentences in (("Read:", found.read), ("Remarks:", found.remarks)):
        yield from _list(heading, sentences)
    if checked.times:
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
    yield "Time, from a rehearsal, if nothing else runs on this machine (half or twice as long is possible):"
    for each in checked.times:
        fresh = "; fresh, so that it does not run again" if each.stage in checked.fresh else ""
        yield f"  {each.stage:<10} {_said(each):>13}  {each.work}{fresh}"
    left = [each for each in checked.times if each.stage not in checked.fresh]
    known = sum(each.seconds for each in left if each.seconds is not None)
    unknown = any(each.seconds is None for each in left)
    if left:
        rest = "and what is not estimated; " if unknown else ""
        yield f"  {'together':<10} {in_time(known):>13}  {rest}the other stages take seconds"


def _said(each: StageTime) -> str:
    return "not estimated" if each.seconds is None else in_time(each.seconds)
