"""The command: it tries everything, two trials at a time, and prints a table."""

import argparse
import contextlib
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch
from rich.console import Console

from experiments.captioning import variants
from experiments.captioning.cost import Cost
from pipeline import progress
from pipeline.closure import closure
from tests.support.copies import ROOT
from tests.torture import data, faults, models, options, pages, planted
from tests.torture.processes import Started, start
from tests.torture.trials import WRONG, Problem, Trial

AT_ONCE = 2
"""Trials at a time: for two cores."""


def main() -> int:
    """Try everything; return 1 if anything is wrong."""
    asked = arguments()
    print(f"seed {asked.seed}", flush=True)
    prepare()
    if asked.plant:
        planted.plant()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as place:
        Path(place).chmod(0o755)  # an ordinary user may enter
        trials = [trial for trial in everything(Path(place)) if asked.only in f"{trial.kind}: {trial.name}"]
        # Lines, on a terminal too: a bar's thread and its hold on stdout would be in every forked process.
        with progress.shown("torture", Console(force_terminal=False)) as report_progress:
            found = tried(trials, Path(place), asked.seed, report_progress)
        report(trials, found, time.monotonic() - began)
    if asked.plant:
        are_all = planted.are_all(found)
        print(f"three faults were planted: {'these were reported' if are_all else 'others were reported'}")
        return 0 if are_all else 1
    return 1 if any(found.values()) else 0


def arguments() -> argparse.Namespace:
    """Read what the command is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of a run to see again")
    parser.add_argument("--plant", action="store_true", help="plant three faults, which must be reported")
    parser.add_argument("--only", default="", help="the trials whose line holds this")
    return parser.parse_args()


def prepare() -> None:
    """Import and read, once for all trials, what each would need seconds for."""
    from experiments.stages import STAGES

    torch.set_num_threads(1)
    for stage in STAGES.values():
        module = stage.function.partition(":")[0]
        __import__(module)
        closure(module, ROOT)
    # It starts a process that imports all of torch again, for figures that are not of interest here.
    variants.measured = lambda trial: Cost(None, 0.0)


def everything(place: Path) -> Iterator[Trial]:
    """Yield all trials."""
    made = faults.world(place / "world")
    yield from faults.trials(made)
    yield from pages.faults()
    yield from inputs()
    yield from options.edited(made)


def inputs() -> Iterator[Trial]:
    """Yield the inputs of all kinds."""
    for row in (*data.rows(), *models.rows(), *options.rows(), *pages.rows()):
        yield row.trial()


def tried(
    trials: Sequence[Trial], place: Path, seed: int, progressed: progress.Report
) -> dict[Trial, list[Problem]]:
    """Attempt each trial in a process of its own; return what was wrong about each."""
    found: dict[Trial, list[Problem]] = {}
    waiting, running = deque(enumerate(trials)), list[tuple[Trial, Path, Started]]()
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            number, trial = waiting.popleft()
            folder = place / str(number)
            folder.mkdir()
            process = start(folder, lambda trial=trial: attempt(trial, seed))
            running.append((trial, folder, process))
        for each in [each for each in running if not each[2].runs()]:
            trial, folder, process = each
            seen = process.ended()
            lines = seen.said.splitlines()
            if seen.code or not lines:
                raise SystemExit(f"the torture itself failed at {trial.kind}: {trial.name}\n{seen.said}")
            found[trial] = [Problem(**problem) for problem in json.loads(lines[-1])]
            running.remove(each)
            progressed(len(found), len(trials), "")
            for problem in found[trial]:
                print(f"{problem.kind}: {trial.kind}: {trial.name}: {problem.what}", flush=True)
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
        time.sleep(0.01)
    return found


def attempt(trial: Trial, seed: int) -> None:
    """Attempt a trial and print what was wrong, as JSON."""
    problems = trial.attempt(Path.cwd(), Random(f"{seed} {trial.kind} {trial.name}"))
    print(json.dumps([asdict(problem) for problem in problems]))


def report(trials: list[Trial], found: dict[Trial, list[Problem]], seconds: float) -> None:
    """Print the table: a line for each kind of trial, and the sums."""
    for title, is_fault in (("faults injected", True), ("inputs tried", False)):
        some = [trial for trial in trials if trial.is_fault == is_fault]
        for kind in dict.fromkeys(trial.kind for trial in some):
            print(line(f"  {kind}", [trial for trial in some if trial.kind == kind], found))
        print(line(title, some, found))
    print(line("all", trials, found))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of them computing", file=sys.stdout)


def line(title: str, trials: list[Trial], found: dict[Trial, list[Problem]]) -> str:
    """Return a line of the table: how many trials, and how many things of each kind were wrong."""
    wrong = Counter(problem.kind for trial in trials for problem in found[trial])
    return f"{title:<45} {len(trials):>4}   " + ", ".join(f"{kind} {wrong[kind]}" for kind in WRONG)
