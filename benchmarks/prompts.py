"""What another prompt set costs on images that were seen before: the features of the images are kept."""

from pathlib import Path

from benchmarks.pairs import Command, python, taken
from benchmarks.rendering import copy
from benchmarks.table import Found, Spread

ROUNDS = 5
MORE = """
[[zero_shot.prompt_sets]]
name = "number {number}"
templates = ["a photo number {number} of a {{}}."]
"""


def another() -> Found:
    """Compare `run zero_shot` after a prompt set was added with the first, which encodes all test images."""
    with copy() as folder:
        (folder / ".cache").mkdir()
        (folder / ".cache" / "downloads").symlink_to(Path(".cache", "downloads").resolve())
        (folder / "results" / "offline" / "zero_shot.json").unlink()
        run = Command(python("-m", "experiments", "run", "zero_shot"), folder)
        first, profile, later = taken(run).wall, folder / "profiles" / "offline.toml", []
        for number in range(ROUNDS):
            with profile.open("a", encoding="utf-8") as file:
                file.write(MORE.format(number=number))
            later.append(taken(run).wall)
    return Found(
        ours=Spread.of(later),
        theirs=Spread.of([first]),
        unit="s",
        remark="from the command line, imports and models included; the images' features are kept",
    )
