"""Inputs, each with the outcome that was stated for it before: the right value, or what is to be said.

The tables of inputs are those of the tests; here each goes through the command line, as a user's would.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from experiments.new_profile.start import off
from pipeline.errors import UserError
from tests.support.copies import ROOT
from tests.support.small_profiles import draw
from tests.torture.processes import Seen, project_in, seen, start
from tests.torture.trials import OTHERWISE, SILENT, TRACEBACK, Problem, Trial

SMOKE = (ROOT / "profiles" / "smoke.toml").read_text(encoding="utf-8")
LONGEST = 1500
"""Characters that an answer may have: beyond, nobody reads what to do."""

Arrange = Callable[[Path], object]
"""Writes a profile ``mine`` and what it names into a project's folder."""
Right = Callable[[Path, Seen], bool]


@dataclass(frozen=True)
class Row:
    """An input and its outcome: refused with words that the pattern `refused` finds, or taken; and right."""

    kind: str
    name: str
    arrange: Arrange
    refused: str = ""
    right: Right = lambda root, seen: True
    command: tuple[str, ...] | Arrange = ("check", "--profile", "mine")

    def trial(self) -> Trial:
        """Return the trial of this input."""
        return Trial(self.kind, self.name, self._attempt)

    def _attempt(self, folder: Path, random: Random) -> list[Problem]:
        root = project_in(folder / "project")
        self.arrange(root)
        command = self.command
        found = seen(root, *command) if isinstance(command, tuple) else answered(root, command)
        said = found.said.strip()
        short = f"exit code {found.code}: {said[-300:]}"
        if found.has_traceback:
            return [Problem(TRACEBACK, short)]
        if self.refused:
            if found.code == 0:
                return [Problem(SILENT, f"taken, where {self.refused!r} was to be said")]
            if found.code != 2 or not re.search(self.refused, said, re.DOTALL) or len(said) > LONGEST:
                return [Problem(OTHERWISE, f"{self.refused!r} was to be said; {short}")]
            return (
                []
                if self.right(root, found)
                else [Problem(SILENT, f"refused, and done all the same; {short}")]
            )
        if found.code != 0:
            return [Problem(OTHERWISE, f"refused, where it is right; {short}")]
        return [] if self.right(root, found) else [Problem(SILENT, f"taken, and another value; {short}")]


def answered(root: Path, call: Arrange) -> Seen:
    """Call something in a process of its own, which is refused as the command line refuses."""

    def in_words() -> None:
        try:
            print(call(root))
        except UserError as error:
            print(error)
            raise SystemExit(2) from None

    return start(root, in_words).ended()


def profile(root: Path, text: str) -> Path:
    """Write the profile ``mine``."""
    path = root / "profiles" / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def section(text: str, config: str) -> str:
    """Put a section in the place of the one of its name."""
    name = re.escape(config[: config.index("]") + 1])
    return re.sub(rf"(?ms)^{name}\n.*?(?=^\[|^# |\Z)", lambda found: config + "\n", text)


def with_line(key: str, value: str, text: str = SMOKE) -> str:
    """Set one key, ``section.key``, of a profile to what stands there as TOML."""
    name, _, last = key.rpartition(".")
    found = re.search(rf"(?ms)^\[+{re.escape(name)}\]+\n.*?^{last} = ([^\n]*)", text)
    assert found, key
    return text[: found.start(1)] + value + text[found.end(1) :]


CAPTIONING = ("photos", "captioner", "lora", "generation", "captions", "variants", "ablations")
IMAGES_ALONE = off(SMOKE, *CAPTIONING, "zero_shot", "vit")
PHOTOS_ALONE = off(SMOKE, "images", "zero_shot", "cnn", "vit", "ablations", "variants").replace(
    "held_out = 20", "held_out = 0"
)
FOLDER = '[images]\nkind = "folder"\nfolder = "pets"\nsize = 16\n'
BY_LOT = FOLDER + "test_share = 0.5\nseed = 0\n"
PHOTOS = (
    '[photos]\nkind = "folder"\nfolder = "photos"\ncaptions = "c"\ntuning = 1\nevaluation = 2\nseed = 0\n'
)


def with_images(root: Path, config: str = BY_LOT) -> Path:
    """Write a profile of a folder of images and one network; return the folder, which is not there yet."""
    profile(root, section(IMAGES_ALONE, config))
    return root / "pets"


def with_photos(root: Path, captions: str | bytes, *names: str, config: str = PHOTOS) -> Path:
    """Write a profile of photos of these names, and their captions; return the photos' folder."""
    profile(root, section(PHOTOS_ALONE, config))
    (root / "c").write_bytes(captions if isinstance(captions, bytes) else captions.encode())
    (root / "photos").mkdir()
    for number, name in enumerate(names):
        draw(root / "photos" / f"{name}.png", 7000 + number).rename(root / "photos" / name)
    return root / "photos"
