"""The whole profile `assignment` at the size of the brief: what each stage and the pages take.

Run as ``python -m benchmarks.assignment_size FOLDER`` in the project's folder; ``--images 200`` is a try with
fewer images. In FOLDER, which is kept, lie a copy of the project and what the profile names: the real
architectures with random weights, generated photos, and CIFAR-10 where it was downloaded, else generated
images as large and as many. Stages run one after the other by `python -m experiments run`, and the same
command goes on after one that was stopped: what is fresh does not run again, and keeps its figures.

Printed are the seconds and the peak memory of each step, which FOLDER/steps.json holds, and beside them what
the brief took.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.assignment_inputs import CAPTIONER, PHOTOS, TOWER
from experiments.audit.brief import SECONDS, STATEMENTS, TEST_IMAGES
from experiments.datasets.cifar10 import is_at_hand
from experiments.profile import Profile
from experiments.project import open_project
from pipeline import freshness, store
from pipeline.errors import UserError
from pipeline.files import write_whole
from pipeline.frozen import Frozen
from pipeline.project import Project

PROFILE = "assignment-size"
FOLDERS = ("benchmarks", "data", "experiments", "figures", "pipeline", "profiles", "reporting", "templates")
"""Those of the project that a run and its pages need; of its files, they need all that lie beside these."""
INPUTS, ENCODER, PAGES = "inputs", "encoder", "pages"
BRIEF = {
    "zero_shot": f"{TEST_IMAGES:,} images in {SECONDS} s",
    "lora": f"{STATEMENTS['training_time'].text} on a Colab GPU",
}
"""What the brief says that it took."""


class Step(Frozen):
    """What a step took, over all commands that went on with it, and whether it came to its end.

    Memory is the most that its process held and, where it used a GPU, that tensors took there, in bytes.
    """

    seconds: float = 0.0
    memory: int | None = None
    gpu_memory: int | None = None
    ended: bool = False


_STORED = TypeAdapter(dict[str, Step])


@dataclass
class Steps:
    """The steps that were taken so far, kept in a file."""

    file: Path
    taken: dict[str, Step] = field(default_factory=dict)

    @classmethod
    def kept(cls, file: Path) -> "Steps":
        """Return those that an earlier command kept in a file, none if it is not there."""
        return cls(file, _STORED.validate_json(file.read_bytes()) if file.is_file() else {})

    def take(self, name: str, project: Path, *command: str) -> None:
        """Run a module with its arguments in a process of its own, and keep what that took, however it ends.

        A step that was stopped before is gone on with, so that its seconds add up; else it begins anew.

        Raises:
            SystemExit: if the process failed.
        """
        report = self.file.with_name("measured.json")
        report.unlink(missing_ok=True)
        before = self.taken.get(name, Step())
        before = Step() if before.ended else before
        code, start = None, time.perf_counter()
        try:
            measured = [sys.executable, "-m", "benchmarks.measured", str(report), *command]
            code = subprocess.run(measured, cwd=project, check=False).returncode
        finally:
            told = json.loads(report.read_bytes()) if report.is_file() else {}
            peaks = {key: _largest(getattr(before, key), told.get(key)) for key in ("memory", "gpu_memory")}
            seconds = before.seconds + time.perf_counter() - start
            self.taken[name] = Step(seconds=round(seconds, 1), ended=code == 0, **peaks)
            self.keep()
        if code:
            raise SystemExit(
                f"{name} ended with exit code {code}: mend what it says and run the same command again."
            )

    def keep(self) -> None:
        """Write the steps to their file."""
        write_whole(self.file, _STORED.dump_json(self.taken, indent=1))


def _largest(*peaks: int | None) -> int | None:
    return max((peak for peak in peaks if peak is not None), default=None)


def main(folder: Path, images: int) -> None:
    """Take all steps that are not done, and print the table as far as it goes, also where one fails."""
    source, project = Path.cwd(), folder / "project"
    if folder.is_relative_to(source):
        raise SystemExit(f"{folder} lies in the project that is to be copied there: name a folder elsewhere.")
    copy(source, project)
    real = images == TEST_IMAGES and is_at_hand(source / ".cache" / "downloads")
    if real and not (place := project / ".cache" / "downloads").exists():
        place.parent.mkdir(exist_ok=True)
        place.symlink_to((source / ".cache" / "downloads").resolve())
    text = (source / "profiles" / "assignment.toml").read_text(encoding="utf-8")
    (project / "profiles" / f"{PROFILE}.toml").write_text(profile(text, images, real), encoding="utf-8")
    steps = Steps.kept(folder / "steps.json")
    try:
        if not all((folder / name).is_dir() for name in (CAPTIONER, TOWER, PHOTOS)):
            steps.take(INPUTS, project, "benchmarks.assignment_inputs", str(folder))
        steps.take(ENCODER, project, "benchmarks.image_encoder", PROFILE)
        opened = open_project(PROFILE, project)
        for stage in opened.stages:
            if freshness.of(opened, stage).state != "fresh":
                steps.take(stage, project, "experiments", "run", stage, "--profile", PROFILE)
        steps.take(PAGES, project, "reporting.render", "--profile", PROFILE)
    finally:
        print("\n".join([*table(steps.taken), "", *rates(open_project(PROFILE, project))]), flush=True)


def copy(source: Path, target: Path) -> None:
    """Bring a copy of the project up to date; its results, caches and pages stay."""
    target.mkdir(parents=True, exist_ok=True)
    for name in FOLDERS:
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in source.iterdir():
        if path.is_file():
            shutil.copy(path, target)


def profile(text: str, images: int, real: bool) -> str:
    """Return the profile `assignment` with what lies in the folder above in place of what the hubs have.

    Without the `real` images of CIFAR-10, `images` for testing and five times as many to learn from are
    generated; for validation, and for the captioner, it is the same share of them as of CIFAR-10's.
    """
    generated = f'"generated"\nseed = 0\ntrain = {5 * images}\ntest = {images}\nsize = 32'
    changes = {
        "photos": {"repository": f'"../{PHOTOS}"'},
        "captioner": {"model": f'"../{CAPTIONER}"', "revision": None, "held_out": str(images // 10)},
        "zero_shot.tower": {"model": f'"local-dir:../{TOWER}"', "pretrained": None},
        "images": {} if real else {"kind": generated, "source": None, "validation": str(images // 2)},
    }
    for section, lines in changes.items():
        for key, value in lines.items():
            text = _changed(text, section, key, value)
    return _changed(text, None, "description", '"The architectures of the assignment with random weights."')


def _changed(text: str, section: str | None, key: str, value: str | None) -> str:
    """Return a profile with another value of a key in a section, or without its line."""
    head = rf"^\[{re.escape(section)}\]\n" if section else r"\A"
    found = re.search(rf"(?m){head}(?:[^\[\n].*\n|\n)*?(?P<line>{key} = .*\n)", text)
    if found is None:
        raise SystemExit(
            f"The profile assignment has no {key} in [{section}]: change `profile` in this benchmark."
        )
    return text[: found.start("line")] + (f"{key} = {value}\n" if value else "") + text[found.end("line") :]


def table(taken: Mapping[str, Step]) -> Iterator[str]:
    """Yield a table in Markdown of the steps, with what the brief says of two of them."""
    yield "| step | seconds | peak memory, GB | of tensors on the GPU, GB | the brief |"
    yield "|---|---:|---:|---:|---|"
    for name, step in taken.items():
        so_far = "" if step.ended else " (not at its end)"
        peaks = " | ".join(
            "–" if peak is None else f"{peak / 1e9:.2f}" for peak in (step.memory, step.gpu_memory)
        )
        yield f"| {name}{so_far} | {step.seconds:,.0f} | {peaks} | {BRIEF.get(name, '')} |"
    yield f"| all | {sum(step.seconds for step in taken.values()):,.0f} | | | |"


def rates(project: Project[Profile]) -> Iterator[str]:
    """Yield of what the brief gives the time for, what results say of it alone, as far as they are there."""
    stages = [name for name in ("zero_shot", "lora", "variants") if project.result_file(name).is_file()]
    stored = {name: store.read(project, name) for name in stages}
    if found := stored.get("zero_shot"):
        rate = f"{found.value.images_per_second:,.1f} images/s in {found.value.precision}"
        yield f"zero_shot on {found.provenance.device}: {rate}, resized on the way"
    if found := stored.get("lora"):
        tuned = f"{found.value.epochs} epochs over {found.value.images} photos"
        yield f"lora on {found.provenance.device}: {found.value.seconds:,.1f} s for {tuned}"
    if (found := stored.get("variants")) and "lora" in stored:
        own = stored["lora"].value.position_among(found.value.variants)
        peak = None if own is None else found.value.variants[own].peak_bytes
        if peak:
            yield f"  and {peak / 1e9:.2f} GB beside the loaded model"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assignment_size", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the copy, models, photos and figures lie, and stay")
    parser.add_argument("--images", type=int, default=TEST_IMAGES, help="test images, fewer for a try")
    options = parser.parse_args()
    try:
        main(options.folder.expanduser().resolve(), options.images)
    except UserError as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit("Stopped; run the same command again and it goes on.") from None
