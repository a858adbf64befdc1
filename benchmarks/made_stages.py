"""A project of any number of small stages, each with code of its own and made from another's result.

`command` has the results that are not there computed, then asks for the states of all stages, as `experiments
status` asks for those of this project.
"""

import io
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from benchmarks.pairs import Command, python
from pipeline import freshness
from pipeline.frozen import Frozen
from pipeline.project import Project
from pipeline.result import Result
from pipeline.runner import bring_up_to_date
from pipeline.stage import Stage, pipeline

BRANCHES = 10
"""How many stages are made from the same one."""
CODE = """from benchmarks.made_stages import Total


def total(config, inputs, context):
    return Total(total={number} + sum(each.total for each in inputs.values()))
"""


class Total(Result):
    """What a made stage returns."""

    total: int


class Section(Frozen):
    """What a made stage is told."""

    seed: int = 0


class Sections(Frozen):
    """The profile of a made project."""

    one: Section = Section()


def opened(folder: Path, count: int) -> Project[Sections]:
    """Return the project of `count` stages in a folder, with their code in files there."""
    code = folder / "made"
    code.mkdir(exist_ok=True)
    (code / "__init__.py").touch()
    stages = []
    for number in range(count):
        file = code / f"stage_{number}.py"
        if not file.exists():
            file.write_text(CODE.format(number=number), encoding="utf-8")
        source = (f"stage_{(number - 1) // BRANCHES}",) if number else ()
        function = f"made.stage_{number}:total"
        stages.append(
            Stage(name=f"stage_{number}", function=function, result=Total, config="one", inputs=source)
        )
    return Project(
        name="made",
        root=folder,
        profile=Sections(),
        stages=pipeline(*stages),
        results=folder / "results",
        cache=folder / ".cache" / "made",
        downloads=folder / ".cache" / "downloads",
    )


def command(folder: Path, count: int) -> Command:
    """Return the command that does so for the project of `count` stages in a folder."""
    call = f"from benchmarks.made_stages import main, Path; main(Path({str(folder)!r}), {count})"
    return Command(python("-c", call), Path.cwd())


def main(folder: Path, count: int) -> None:
    """Compute what is missing, if something is, and print how many stages are in each state."""
    project = opened(folder, count)
    if not project.result_file(f"stage_{count - 1}").is_file():
        sys.path.insert(0, str(folder))
        bring_up_to_date(project, project.stages, Console(file=io.StringIO()))
    print(dict(Counter(each.state for each in freshness.states(project, project.stages).values())))
