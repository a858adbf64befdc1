"""A pipeline of two torch-free stages in a folder of its own, for tests of the cache and the runner."""

import io
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from rich.console import Console

from pipeline.frozen import Frozen
from pipeline.project import Project
from pipeline.result import Result
from pipeline.runner import bring_up_to_date
from pipeline.stage import Stage, pipeline

FILES = {
    "toy/__init__.py": "",
    "toy/arithmetic.py": '"""Sums."""\n\n\ndef add(a, b):\n    """Add."""\n    return a + b\n',
    "toy/unused.py": "VALUE = 1\n",
    "toy/first.py": (
        "from tests.support.toy import Sum\n\n\n"
        "def first(config, inputs, context):\n"
        "    context.progress(1, 1, 'half way')\n"
        "    return Sum(total=config.number)\n"
    ),
    "toy/second.py": (
        "from tests.support.toy import Sum\n\n\n"
        "def second(config, inputs, context):\n"
        "    from toy.arithmetic import add\n\n"
        "    return Sum(total=add(inputs['first'].total, config.number))\n"
    ),
}


class Sum(Result):
    total: int

    def headline(self) -> dict[str, float]:
        return {"total": self.total}


class Number(Frozen):
    number: int
    seed: int = 0


class ToyProfile(Frozen):
    name: str = "toy"
    one: Number = Number(number=1)
    two: Number = Number(number=2)


STAGES = pipeline(
    Stage(name="first", function="toy.first:first", result=Sum, config="one"),
    Stage(name="second", function="toy.second:second", result=Sum, config="two", inputs=("first",)),
)


def make_toy(folder: Path, profile: Frozen | None = None, stages: Mapping[str, Stage] = STAGES) -> Project:
    """Write the toy's code into `folder` (files that stand there are kept) and open it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text)
    return Project(
        name="toy",
        root=folder,
        profile=profile or ToyProfile(),
        stages=stages,
        results=folder / "results" / "toy",
        cache=folder / ".cache" / "toy",
        downloads=folder / ".cache" / "downloads",
    )


def rewrite(project: Project, stage: str, text: str) -> None:
    """Give a stage other code, which the next run reads."""
    (project.root / "toy" / f"{stage}.py").write_text(text)
    forget()


def forget() -> None:
    """Forget the code of toys, so that other code of the same name can be imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


def run(project: Project, *names: str, force: Collection[str] = ()) -> str:
    """Bring the named stages up to date, all if none, and return what was printed."""
    output = io.StringIO()
    bring_up_to_date(project, names or project.stages, Console(file=output, width=200), force=force)
    return output.getvalue()
