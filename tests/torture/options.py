"""Inputs that are typed: profiles, names, commands; and results that were edited by hand."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from experiments import __main__ as command_line
from experiments.new_profile.start import off
from experiments.project import open_project
from tests.support.small_profiles import (
    CAPTIONER,
    IMAGES,
    PHOTOS,
    draw,
    draw_classes,
    draw_photos,
    project,
    save_captioner,
)
from tests.torture.faults import World
from tests.torture.inputs import (
    BY_LOT,
    CAPTIONING,
    SMOKE,
    Row,
    Seen,
    profile,
    section,
    with_images,
    with_line,
)
from tests.torture.processes import seen
from tests.torture.trials import OTHERWISE, SILENT, TRACEBACK, Problem, Trial

CHECK, STATUS = ("check", "--profile", "mine"), ("status", "--profile", "mine")
ODD = {
    "cnn.seed": (
        "-1",
        str(2**63),
        "0.5",
    ),
    "cnn.epochs": (
        "0",
        "true",
        '"2"',
        "1" + "0" * 30,
    ),
    "cnn.batch_size": (
        "0",
        "-3",
    ),
    "cnn.learning_rate": (
        "1e308",
        "inf",
        "nan",
        "-1.0",
    ),
    "cnn.weight_decay": ("-inf",),
    "cnn.label_smoothing": ("2.0",),
    "cnn.translate": (
        "99",
        "-1",
    ),
    "cnn.widths": (
        "[]",
        "[16, 0]",
        str([8] * 40),
    ),
    "cnn.precision": ('"fp16"',),
    "vit.heads": ("3",),
    "vit.seed": ("-1",),
    "vit.translate": ("16",),
    "images.seed": ("-1",),
    "images.train": ("0",),
    "images.test": ("1",),
    "images.size": (
        "0",
        "1" + "0" * 12,
    ),
    "images.kind": ('"made-up"',),
    "photos.seed": ("-1",),
    "photos.tuning": ("0",),
    "photos.evaluation": ("1",),
    "captioner.kind": ('"randon"',),
    "captioner.seed": ("-1",),
    "captioner.held_out": ("-1",),
    "lora.r": (
        "0",
        "1" + "0" * 9,
    ),
    "lora.alpha": ("0",),
    "lora.dropout": ("1.0",),
    "lora.targets": (
        "[]",
        '[""]',
    ),
    "lora.epochs": ("0",),
    "lora.learning_rate": ("1e308",),
    "lora.seed": (str(2**64),),
    "generation.max_new_tokens": (
        "0",
        "1000000",
    ),
    "generation.beams": ("0",),
    "captions.resamples": ("20",),
    "captions.example_quantiles": (
        "[nan]",
        "[0.5, 1.5]",
    ),
    "captions.seed": ("-1",),
    "variants.ranks": ("[0]",),
    "variants.full_learning_rate": ("inf",),
    "evidence.significance": (
        "0.0",
        "1.5",
    ),
    "evidence.resamples": ("1" + "0" * 20,),
    "audit.tolerance": (
        "nan",
        "-1.0",
    ),
    "zero_shot.prompt_sets.templates": ('["a photo."]',),
    "zero_shot.prompt_sets.name": ('""',),
}
"""Options that no run could be made with: each is refused, with its key, when it is read or checked."""


def rows() -> Iterator[Row]:
    """Yield the inputs that a user types."""
    for key, value in ((key, value) for key, values in ODD.items() for value in values):
        text = with_line(key, value)
        name = key.rpartition(".")[2]
        yield Row("options", f"{key} = {value[:24]}", lambda root, text=text: profile(root, text), name)
    yield from whole_profiles()
    yield from names()
    yield from new_profiles()
    yield from deletions()
    yield from texts_from_data()
    yield from paths()


def whole_profiles() -> Iterator[Row]:
    """Files that are no profile, or one of nothing."""
    for case, text, said in (
        ("nothing", "", "missing"),
        ("no TOML", "[cnn", "not valid TOML"),
        ("nested", "x = " + "[" * 5_000, "nested"),
        ("nested tables", f"[{'.'.join('n' * 900)}]\nx = 1", "nested"),
        ("an unknown key", SMOKE + "\nx = 1\n", "x"),
        ("an unknown section", SMOKE + "\n[rnn]\nseed = 0\n", "rnn is not a known key"),
        ("a name", 'name = "x"\n' + SMOKE, "name is not a key"),
        ("twice the same", SMOKE + "\n[cnn]\nseed = 1\n", "TOML"),
        ("no half", off(SMOKE, *CAPTIONING, "zero_shot", "cnn", "vit"), "nothing to run"),
        ("classifiers without images", off(SMOKE, "images"), r"needs \[images\]"),
    ):
        yield Row(
            "options", f"a profile: {case}", lambda root, text=text: profile(root, text), said, command=STATUS
        )
    yield Row(
        "options",
        "a profile: no text",
        lambda root: profile(root, "").write_bytes(b"\xff"),
        "TOML",
        command=STATUS,
    )
    yield Row("options", "a profile: a folder", a_folder, "profile 'mine'", command=STATUS)
    long = section(SMOKE, BY_LOT.replace('"pets"', f'"{"x" * 300}"'))
    yield Row("options", "a name of 300 bytes", lambda root: profile(root, long), "name|folder")


def a_folder(root: Path) -> None:
    """Make a folder where the profile should be."""
    (root / "profiles" / "mine.toml").mkdir()


def names() -> Iterator[Row]:
    """Names of profiles and stages that are none."""
    for name in (
        "../x",
        "~/pets",
        "downloads",
        "..",
        "pets\n",
        "none",
        "a b",
        "/etc/passwd",
        "[bold]x[/bold]",
        "é",
    ):
        yield Row(
            "commands",
            f"--profile {name!r}",
            lambda root: None,
            "profile",
            command=("status", "--profile", name),
        )
    for command, said in (
        ("new offline", "taken by the project"),
        ("new reproduction", "taken by the project"),
        ("new downloads", "taken by the project"),
        ("new a/b", "letters"),
        ("new -- -x", "letters"),
        ("run --force --profile smoke", "name them"),
        ("why nothing --profile smoke", "no stage 'nothing'"),
        ("run nothing --profile smoke", "no stage 'nothing'"),
        ("reproduce nothing --profile smoke", "no stage"),
        ("reproduce --profile smoke", "is missing: run"),
    ):
        yield Row("commands", command, lambda root: None, said, command=tuple(command.split()))


def new_profiles() -> Iterator[Row]:
    """Profiles to start from, of data that are not all there."""
    own = ("new", "mine", "--photos", "photos", "--captions", "captions.csv")

    def part(root: Path, inner: str = "") -> None:
        draw_photos(root, 40)
        for number in range(30):
            (root / "photos" / f"{number}.png").unlink()
        if inner:
            (root / "photos").rename(root / inner)
            (root / "photos").mkdir()
            (root / inner).rename(root / "photos" / inner)

    def sound(root: Path, found: Seen) -> bool:
        config: Any = open_project("mine", root).profile.photos
        return (config.tuning, config.evaluation) == (5, 5) and "draw" not in config.folder

    yield Row("new profiles", "a part of the photos", part, command=own, right=sound)
    yield Row(
        "new profiles", "photos one level down", lambda root: part(root, "Images"), command=own, right=sound
    )
    for case, command, said in (
        ("photos without captions", "--photos photos", "belong together"),
        ("no such folder", "--photos nowhere --captions captions.csv", "no folder"),
        ("no such captions", "--photos photos --captions nothing.csv", "cannot be read"),
        ("images that are photos", "--images photos", "no folders with images"),
    ):
        yield Row(
            "new profiles",
            case,
            lambda root: draw_photos(root, 4),
            said,
            command=("new", "mine", *command.split()),
        )


def deletions() -> Iterator[Row]:
    """Deletions near what is somebody else's."""
    kept = (
        ".cache/thesis/chapter.txt",
        ".cache/huggingface/hub/model",
        ".cache/downloads/archive",
        ".cache/notes",
    )

    def arrange(root: Path) -> None:
        for name in kept:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
        (root / ".cache" / "linked").symlink_to(root / "profiles")

    def right(root: Path, found: Seen) -> bool:
        return all((root / name).exists() for name in (*kept, "profiles/smoke.toml"))

    for command in (("clean",), ("clean", "--all")):
        yield Row("deletions", " ".join(command), arrange, right=right, command=command)
    yield Row(
        "deletions", "a folder without profiles", no_project, "no profiles", right_there, ("clean", "--all")
    )


def no_project(root: Path) -> None:
    """Leave nothing of the project but a cache."""
    shutil.rmtree(root / "profiles")
    (root / ".cache" / "mine").mkdir(parents=True)


def right_there(root: Path, found: Seen) -> bool:
    """Tell whether the cache stays."""
    return (root / ".cache" / "mine").exists()


MARKUP = "[INST] a {} [/INST] [bold]:dog: [link=file:///x]"


def texts_from_data() -> Iterator[Row]:
    """Texts that look like markup of the terminal."""

    def arrange(root: Path) -> None:
        text = off(SMOKE, *CAPTIONING, "cnn", "vit")
        profile(root, with_line("zero_shot.prompt_sets.templates", json.dumps([MARKUP]), text))
        done = seen(root, "run", "zero_shot", "--profile", "mine")
        assert done.code == 0, done.said
        profile(root, with_line("zero_shot.prompt_sets.templates", json.dumps([MARKUP + " x"]), text))

    for command in ("run zero_shot", "why zero_shot", "status"):
        yield Row(
            "texts from data", f"a prompt like markup: {command}", arrange,
            right=lambda root, found: MARKUP in "".join(found.said.splitlines()),
            command=(*command.split(), "--profile", "mine"),
        )  # fmt: skip


def paths() -> Iterator[Row]:
    """Whole paths of this machine in profiles, and names that break lines."""

    def whole(root: Path) -> None:
        draw_classes(root / "pets", count=4, size=(20, 20))
        draw_photos(root, count=9)
        save_captioner(root / "captioner")
        sections = (IMAGES.replace("animals", "pets"), PHOTOS, CAPTIONER)
        for name in ('"pets"', '"photos"', '"captions.csv"', 'model = "captioner"'):
            place = name.split('"')[1]
            whole = name.replace(place, f"{root}/{place}") if "=" not in name else f'model = "{root}/{place}"'
            sections = tuple(text.replace(name, whole) for text in sections)
        project(root, *sections)

    def unsaid(root: Path, found: Seen) -> bool:
        return not any(str(root) in path.read_text() for path in (root / "results").rglob("*.json"))

    for stage in ("data_sets", "align", "cnn"):
        yield Row(
            "paths", f"whole paths: {stage}", whole, right=unsaid, command=("run", stage, "--profile", "mine")
        )

    def broken(root: Path) -> None:
        folder = with_images(root)
        for number in range(8):
            draw(folder / ("cat" if number % 2 else "dog") / f"{number}\n\\{number}.png", number)

    def checked(root: Path, found: Seen) -> bool:
        command = ["sha256sum", "--strict", "-c", str(root / "results" / "mine" / "images.sha256")]
        return subprocess.run(command, cwd=root / "pets", capture_output=True, check=False).returncode == 0

    yield Row(
        "paths",
        "names of two lines",
        broken,
        right=checked,
        command=("run", "data_sets", "--profile", "mine"),
    )
    deep = "x" * 110

    def far(root: Path) -> object:
        (root / deep).mkdir()
        os.environ["TMPDIR"] = str(root / deep)
        sys.argv = ["experiments", "run", "data_sets", "--profile", "smoke"]
        command_line.main()
        return ""

    yield Row("paths", "a long TMPDIR", lambda root: None, command=far)


def edited(made: World) -> Iterator[Trial]:
    """Yield trials of results edited by hand: none is called fresh, and none ends in a traceback."""
    for stage in made.new:
        for case, change in CHANGES.items():
            yield Trial("results edited by hand", f"{stage}: {case}", by_hand(made, stage, change))


CHANGES: dict[str, Callable[[Any, Random], Any]] = {
    "of another type": lambda old, random: random.choice([{"a": 1}, [[]], "x", None, -1, 1e308, True]),
    "gone": lambda old, random: ...,
}


def by_hand(
    made: World, stage: str, change: Callable[[Any, Random], Any]
) -> Callable[[Path, Random], list[Problem]]:
    """Return the attempt that changes one field of a result, at any depth."""

    def attempt(folder: Path, random: Random) -> list[Problem]:
        root = folder / "copy"
        shutil.copytree(made.done, root, symlinks=True, ignore=shutil.ignore_patterns(".cache"))
        path = root / "results" / "mine" / f"{stage}.json"
        content = json.loads(path.read_text())
        before = json.dumps(content["value"])
        place = content["value"]
        while True:
            key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], dict | list) and place[key] and random.random() < 0.8:
                place = place[key]
                continue
            new = change(place[key], random)
            if new is ...:
                del place[key]
            else:
                place[key] = new
            break
        if json.dumps(content["value"]) == before:
            return []
        path.write_text(json.dumps(content))
        found = seen(root, "status", "--json", "--profile", "mine")
        if found.has_traceback:
            return [Problem(TRACEBACK, f"{key}: {found.said[-500:]}")]
        if found.code:
            return [Problem(OTHERWISE, f"{key}: exit code {found.code}: {found.said[-300:]}")]
        state = json.loads(found.said)["stages"][stage]["state"]
        return [Problem(SILENT, f"{key} was changed, and it is called fresh")] if state == "fresh" else []

    return attempt
