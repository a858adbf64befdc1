"""A stage and the data that it reads, as data: what the engine needs to know of what it runs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.result import Result


@dataclass(frozen=True)
class Identity:
    """What data are: `sha256` is the fingerprint of their content.

    `absent` names the files that are not on this machine, so that what was recorded of them stood in. `state`
    is another when a file was written or replaced, even by what was there before: empty where nothing tells.
    """

    sha256: str
    absent: tuple[str, ...] = ()
    state: str = ""


def _nothing(*_: Any) -> None: ...


@dataclass(frozen=True)
class Data:
    """A data set, or the files of a model, that a part of the profile names: what lies outside the project.

    `identify` returns what the content is, `manifest` the lines of the manifest of a user's own
    files, or None where the part names none. Both are given the part of the profile, the project's folder,
    from which its paths start, and the file with the manifest that was recorded beside the results. `loader`
    returns, of the part of the profile, the ``"module:function"`` that loads the data, whose code then counts
    as the stage's own; None where nothing is loaded by us. `load` returns the data for a call of a stage (a
    `pipeline.runner.Call`); it is None where a stage loads them. `fetch` is called before a stage is
    computed, and brings to this machine what can be identified only there; it is given the part of the
    profile, the project's folder, that of the downloads, and what prints a line.
    """

    name: str
    identify: Callable[[Any, Path, Path], Identity]
    manifest: Callable[[Any, Path, Path], Iterator[str] | None]
    loader: Callable[[Any], str | None] = _nothing
    load: Callable[[Any], Any] | None = None
    fetch: Callable[[Any, Path, Path, Callable[[str], None]], None] = _nothing


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    `function` is ``"module:name"``, a string so that asking about freshness never imports torch; it is given
    the part `config` of the profile, the results of `inputs` by name, and what the project lends it. An input
    among `optional` may be missing: it is then None, and part of the key as such. `artefacts` are the inputs
    of which it uses what they left in their scratch folders, `costs` those whose costs its result passes on,
    so that it follows these as well. `data` is what it reads from outside. Several processes run a `parallel`
    stage together; the main process alone runs any other. `tolerance` is the largest difference of a headline
    figure that `reproduce` accepts, in the figure's own unit; it is there for machines whose arithmetic
    differs, since on the same machine the stages repeat themselves exactly.
    """

    name: str
    function: str
    result: type[Result]
    config: str
    data: tuple[Data, ...] = ()
    inputs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    parallel: bool = False
    tolerance: float = 0.0


def pipeline(*stages: Stage) -> Mapping[str, Stage]:
    """Return stages by name, each after its inputs.

    Raises:
        ValueError: if a name occurs twice, an input does not stand before its user, or a stage may lack, or
            uses artefacts of, what is none of its inputs.
    """
    ordered: dict[str, Stage] = {}
    for stage in stages:
        if stage.name in ordered or any(name not in ordered for name in stage.inputs):
            raise ValueError(f"stage {stage.name} occurs twice or stands before its inputs {stage.inputs}")
        if not {*stage.optional, *stage.artefacts} <= {*stage.inputs}:
            raise ValueError(f"what stage {stage.name} may lack, or uses artefacts of, is none of its inputs")
        ordered[stage.name] = stage
    return ordered
