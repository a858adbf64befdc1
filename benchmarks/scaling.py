"""How the cost of the work grows with its size: a curve each for images, captions, results and pages.

Run as ``python -m benchmarks.scaling [NAME…]`` in the project's folder. Costs are seconds of computing, which
hardly depend on what else runs. What was measured stays in ``benchmarks/scaling.json``, and all of it is
drawn in ``docs/scaling.png``. The exponent is the slope between the two largest sizes on logarithmic axes:
1 means that twice the work takes twice as long.
"""

import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks import made_stages
from benchmarks.classifiers import surroundings
from benchmarks.pairs import Command, python, taken
from benchmarks.rendering import BUILTIN, copy
from experiments.captioning.compare import captions
from experiments.config.comparison import CaptionsConfig
from experiments.project import open_project
from pipeline import store
from pipeline.files import write_whole

KEPT, DRAWN = Path("benchmarks", "scaling.json"), Path("docs", "scaling.png")


@dataclass(frozen=True)
class Curve:
    """What grows, what is done with it, at which sizes, and what measures the seconds of computing of one."""

    grows: str
    done: str
    sizes: tuple[int, ...]
    measure: Callable[[int], float]


def of_images(count: int) -> float:
    """Return what the stage `zero_shot` takes with so many test images, by the tiny tower of `smoke`."""
    with copy() as folder:
        smoke = (folder / "profiles" / "smoke.toml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^test = \d+$", f"test = {count}", smoke)
        (folder / "profiles" / "many.toml").write_text(text, encoding="utf-8")
        return taken(
            Command(python("-m", "experiments", "run", "zero_shot", "--profile", "many"), folder)
        ).cpu


def of_captions(count: int) -> float:
    """Return what comparing the captions of so many photos takes: those of `offline`, repeated."""
    project = open_project("offline")
    generated = store.read(project, "generate").value
    drawn = [generated.records[at % len(generated.records)] for at in range(count)]
    records = tuple(record.model_copy(update={"index": at}) for at, record in enumerate(drawn))
    config = project.profile.captions
    assert isinstance(config, CaptionsConfig)
    start = time.process_time()
    captions(config, {"generate": generated.model_copy(update={"records": records})}, surroundings(Path()))
    return time.process_time() - start


def of_results(count: int) -> float:
    """Return what asking for the states of so many stages takes, all of them fresh."""
    with tempfile.TemporaryDirectory() as place:
        command = made_stages.command(Path(place), count)
        taken(command)
        return min(taken(command).cpu for _ in range(3))


def of_pages(count: int) -> float:
    """Return what a render of a site takes that has so many pages more, each a copy of the gallery."""
    with copy() as folder:
        settings = folder / "_quarto.yml"
        names = "".join(f"more_{number}.qmd, " for number in range(count))
        text = settings.read_text(encoding="utf-8").replace("render: [", f"render: [{names}")
        settings.write_text(text, encoding="utf-8")
        for number in range(count):
            (folder / f"more_{number}.qmd").write_bytes((folder / "captions.qmd").read_bytes())
        command = Command(python(*BUILTIN), folder)
        taken(command)
        return taken(command).cpu


CURVES = {
    "images": Curve("test images", "stage zero_shot, tiny tower", (1_000, 10_000, 100_000), of_images),
    "captions": Curve("photos with captions", "stage captions", (50, 500, 5_000), of_captions),
    "results": Curve("results on disk", "status, all fresh", (10, 100, 1_000), of_results),
    "pages": Curve("pages beside the four", "render, warm", (1, 4, 16), of_pages),
}


def main(names: list[str]) -> None:
    """Measure curves, all if none is named, and draw what was measured so far."""
    for name in names or CURVES:
        kept = _kept() | {name: {}}
        for size in CURVES[name].sizes:
            kept[name][str(size)] = round(CURVES[name].measure(size), 3)
            print(f"{name} {size:,}: {kept[name][str(size)]} s", flush=True)
        write_whole(KEPT, f"{json.dumps(dict(sorted(kept.items())), indent=2)}\n".encode())
    _draw()


def exponent(measured: dict[str, float]) -> float:
    """Return the slope between the two largest sizes on logarithmic axes."""
    (small, less), (large, more) = sorted((int(size), cost) for size, cost in measured.items())[-2:]
    return math.log(more / less) / math.log(large / small)


def _kept() -> dict[str, dict[str, float]]:
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}


def _draw() -> None:
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    kept = _kept()
    for place, name in enumerate((name for name in CURVES if name in kept), start=1):
        measured = kept[name]
        axes = figure.add_subplot(2, 2, place)
        axes.loglog([int(size) for size in measured], [*measured.values()], marker="o", color="#08519c")
        axes.set_title(f"{CURVES[name].done}: exponent {exponent(measured):.2f}", fontsize=9)
        axes.set_xlabel(CURVES[name].grows, fontsize=8)
        axes.set_ylabel("seconds of computing", fontsize=8)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(which="both", labelsize=7)
        axes.grid(which="major", color="#dddddd")
    figure.savefig(DRAWN, dpi=120)


if __name__ == "__main__":
    main(sys.argv[1:])
