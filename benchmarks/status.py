"""What `experiments status` computes beside `dvc status`, on the same stages with the same files.

DVC is told of each stage what its key follows here: the files of its code, its profile, the user's own photos
and the results that it reads. It keeps what it knows of unchanged files, as this project does. `dvc` is a
program on PATH, installed in an environment of its own (``pip install dvc``).
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import made_stages
from benchmarks.pairs import Command, in_turns, python, taken
from benchmarks.rendering import copy
from benchmarks.table import Found
from experiments.project import open_project
from pipeline.closure import Code
from pipeline.keys import code_of
from pipeline.project import Project

ROUNDS = 7
PHOTOS = 100_000
STAGES = 1_000
MANY = """[images]
kind = "folder"
folder = "animals"
size = 8
test_share = 0.1
validation = 0
seed = 0
"""
"""The images of a profile that has nothing else but a network of the profile ``smoke``."""


def twelve_stages() -> Found:
    """Compare what both compute where every stage of the default profile is fresh."""
    with copy() as folder:
        return _compared(open_project("offline", folder), _status(folder, "offline"))


def many_stages() -> Found:
    """Compare what both compute where 1,000 stages, each with code of its own, are fresh."""
    with tempfile.TemporaryDirectory() as place:
        ours = made_stages.command(Path(place), STAGES)
        taken(ours)
        return _compared(made_stages.opened(Path(place), STAGES), ours)


def many_photos() -> Found:
    """Compare what both compute where a profile is of a folder of 100,000 images, none of them changed."""
    with copy() as folder:
        _draw(folder / "animals")
        smoke = (folder / "profiles" / "smoke.toml").read_text(encoding="utf-8")
        parts = "\n".join(_section(smoke, name) for name in ("evidence", "audit", "cnn"))
        text = f'description = "Many images."\n\n{MANY}\n{parts}'
        (folder / "profiles" / "many.toml").write_text(text, encoding="utf-8")
        taken(Command(python("-m", "experiments", "run", "--profile", "many"), folder))
        return _compared(open_project("many", folder), _status(folder, "many"), ["animals"])


def _status(folder: Path, profile: str) -> Command:
    return Command(python("-m", "experiments", "status", "--strict", "--profile", profile), folder)


def _compared(project: Project, ours: Command, data: Sequence[str] = ()) -> Found:
    if shutil.which("dvc") is None:
        raise RuntimeError("Put dvc on PATH, from an environment of its own: this row compares with it.")
    _follow_by_dvc(project, data)
    theirs = Command(["dvc", "status"], project.root, {"DVC_NO_ANALYTICS": "1"})
    spreads = in_turns(ours, theirs, ROUNDS, lambda taken: taken.cpu)
    return Found(
        ours=spreads[0],
        theirs=spreads[1],
        unit="s of computing",
        remark=f"{len(project.stages):,} stages, all fresh",
    )


def _follow_by_dvc(project: Project, data: Sequence[str]) -> None:
    """Tell DVC of the stages and their files, and that all of it is up to date."""
    root, code = project.root, Code(project.root)
    stages = {}
    for stage in project.stages.values():
        read = {f"profiles/{project.name}.toml", *data, *(_result(project, name) for name in stage.inputs)}
        read |= {file for module in code_of(project, stage, code) for file in _files(root, module)}
        stages[stage.name] = {
            "cmd": f"python -m experiments run {stage.name}",
            "deps": sorted(each for each in read if (root / each).exists()),
            "outs": [{_result(project, stage.name): {"cache": False}}],
        }
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}), encoding="utf-8")  # YAML holds JSON
    for arguments in (["init", "--no-scm", "--quiet"], ["commit", "--force", "--quiet"]):
        subprocess.run(["dvc", *arguments], cwd=root, check=True)
    told = subprocess.run(["dvc", "status"], cwd=root, check=True, capture_output=True, text=True).stdout
    if "up to date" not in told:
        raise RuntimeError(f"To DVC these stages are not up to date:\n{told}")


def _result(project: Project, stage: str) -> str:
    return (project.results / f"{stage}.json").relative_to(project.root).as_posix()


def _files(root: Path, module: str) -> list[str]:
    """Return the file of a module, none for what is a file or a function."""
    path = module.replace(".", "/")
    return [file for file in (f"{path}.py", f"{path}/__init__.py", module) if (root / file).is_file()]


def _section(profile: str, name: str) -> str:
    return profile[profile.index(f"[{name}]") :].partition("\n[")[0] + "\n"


def _draw(folder: Path) -> None:
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for number in range(PHOTOS // 2):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
