"""Kills a run at every line of the code that writes results, and looks at what is left.

Run as a program (a fresh process may fork safely): ``python kill_sweep.py FOLDER``. In FOLDER it makes
a toy project with results under older options, then for each n = 1, 2, … starts a run that is killed
by SIGKILL at the n-th executed line of the code that changes files: the runner, the atomic writer and
the cache's `write`. It prints JSON: the number of kill points, and a sentence about each wrong thing.
"""

import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from pipeline import files, freshness, runner, store
from pipeline.project import Project
from tests.support.toy import Number, ToyProfile, make_toy

WATCHED = {files.__file__, runner.__file__}
OLD, NEW = {"first": 1, "second": 3}, {"first": 10, "second": 12}


def run(project: Project) -> None:
    runner.bring_up_to_date(project, project.stages, Console(file=io.StringIO()))


def in_child(project: Project, kill_at: int | None) -> bool:
    """Run in a fork, killed at a line if asked; return whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = [kill_at]

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            if frame.f_code.co_filename not in WATCHED and frame.f_code is not store.write.__code__:
                return None
            if event == "line" and left[0] is not None:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace if kill_at else None)
        run(project)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def totals(project: Project) -> dict[str, int]:
    return {name: store.read(project, name).value.total for name in project.stages}


def sweep(folder: Path) -> tuple[int, list[str]]:
    old = make_toy(folder)
    sys.path.insert(0, str(folder))
    run(old)
    shutil.copytree(old.results, folder / "before")
    new = make_toy(folder, ToyProfile(one=Number(number=10)))
    wrong, point, finished = [], 0, False
    while not finished:
        point += 1
        shutil.rmtree(old.results)
        shutil.copytree(folder / "before", old.results)
        finished = in_child(new, kill_at=point)
        after = totals(new)
        if any(after[name] not in (OLD[name], NEW[name]) for name in after):
            wrong.append(f"kill point {point} left {after}")
        states = {name: freshness.of(new, name).state for name in new.stages}
        honest = {name: "fresh" if after[name] == NEW[name] else "stale" for name in after}
        if states != honest:
            wrong.append(f"kill point {point} left {after} and calls it {states}")
        if not finished and (not in_child(new, kill_at=None) or totals(new) != NEW):
            wrong.append(f"after kill point {point} the next run did not finish the work")
    return point - 1, wrong


if __name__ == "__main__":
    points, sentences = sweep(Path(sys.argv[1]))
    print(json.dumps({"points": points, "wrong": sentences}))
