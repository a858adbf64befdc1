"""One profile of one project folder: what every question about results is asked of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pipeline.errors import UserError
from pipeline.stage import Stage

Profile = TypeVar("Profile")


@dataclass(frozen=True)
class Project(Generic[Profile]):
    """A project folder with one profile loaded.

    `root` holds the code and the profiles, `results` the result files of this profile, called `name`;
    `cache` what can be made again; `downloads` what came from elsewhere. `lend` makes what a stage is given
    beside its config and its inputs of a `pipeline.runner.Call`. `between` names the modules that stand
    between the engine and a stage: they count as every stage's code, and what they reach does not.
    `packages` are the libraries whose versions are recorded, `code` the files and folders of `root` whose
    uncommitted changes are.
    """

    name: str
    root: Path
    profile: Profile
    stages: Mapping[str, Stage]
    results: Path
    cache: Path
    downloads: Path
    lend: Callable[[Any], Any] = lambda call: call
    between: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    code: tuple[str, ...] = (".",)

    def stage(self, name: str) -> Stage:
        """Return the stage called `name`.

        Raises:
            UserError: if there is none.
        """
        if name not in self.stages:
            raise UserError(f"There is no stage {name!r}; the stages are {', '.join(self.stages)}.")
        return self.stages[name]

    def result_file(self, name: str) -> Path:
        """Return where the result of stage `name` stands."""
        return self.results / f"{name}.json"

    def with_inputs(
        self, names: Iterable[str], counts: Callable[[str], bool] = lambda name: True
    ) -> list[str]:
        """Return the named stages and all they build on, in the pipeline's order.

        An input that may be missing counts if it has a result. Of stages for which `counts` says no, neither
        they nor what they build on are among them.

        Raises:
            UserError: if there is no stage of such a name.
        """
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            stage = self.stage(waiting.pop())
            if not counts(stage.name):
                continue
            wanted.add(stage.name)
            waiting.extend(
                name
                for name in stage.inputs
                if name not in stage.optional or self.result_file(name).is_file()
            )
        return [name for name in self.stages if name in wanted]
