import os
from pathlib import Path

import pytest

from experiments.datasets.listing import listing, sentences


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two pictures in a class, and one elsewhere."""
    for name in ("pets/cat/1.jpg", "pets/cat/2.PNG", "elsewhere/deep/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path / "pets"


@pytest.mark.parametrize("ending", ["jfif", "jpe", "heic", "avif", "JPG", "tiff", "webp", "jp2", "pnm"])
def test_a_picture_is_known_by_any_ending_that_cameras_and_programs_give(place: Path, ending: str) -> None:
    (place / "cat" / f"odd.{ending}").touch()
    assert listing(place).pictures == ("cat/1.jpg", "cat/2.PNG", f"cat/odd.{ending}")
    assert listing(place).unused == {}


def link(place: Path, name: str, to: str) -> None:
    (place / name).symlink_to(place / to)


def test_linked_folders_and_pictures_are_read(place: Path) -> None:
    link(place, "cat/more", "../elsewhere")
    link(place, "dog", "../elsewhere/deep")
    link(place, "cat/4.jpg", "cat/1.jpg")
    found = listing(place)
    assert found.pictures == ("cat/1.jpg", "cat/2.PNG", "cat/4.jpg", "cat/more/deep/3.jpg", "dog/3.jpg")
    assert (found.folders, found.unused) == (("cat", "cat/more", "cat/more/deep", "dog"), {})


UNUSED = {
    "a link that leads nowhere": (lambda place: link(place, "cat/x.jpg", "gone"), "links that lead nowhere"),
    "a link to itself": (lambda place: link(place, "cat/x", "cat/x"), "links that lead nowhere"),
    "a link to the folder above": (lambda place: link(place, "cat/x", "."), "links to a folder that they"),
    "a link to everything": (lambda place: link(place, "cat/x", "../.."), "links to a folder that they"),
    "a hidden file": (lambda place: (place / "cat/.x.jpg").touch(), "hidden files and folders"),
    "a hidden folder": (lambda place: (place / "cat/.x").mkdir(), "hidden files and folders"),
    "a text": (lambda place: (place / "cat/x.TXT").touch(), "files that end in '.txt'"),
    "a drawing": (lambda place: (place / "cat/x.svg").touch(), "files that end in '.svg'"),
    "a name alone": (lambda place: (place / "cat/x").touch(), "files without an ending"),
    "a pipe": (lambda place: os.mkfifo(place / "cat/x.jpg"), "pipes and devices"),
}


@pytest.mark.parametrize("case", UNUSED)
def test_what_is_not_used_is_counted_by_its_reason(place: Path, case: str) -> None:
    spoil, reason = UNUSED[case]
    spoil(place)
    found = listing(place)
    assert found.pictures == ("cat/1.jpg", "cat/2.PNG")
    ((why, names),) = found.unused.items()
    assert why.startswith(reason) and len(names) == 1
    assert sentences(found.unused, "pets") == [f"Not used of pets: {why} (1, such as {names[0]!r})."]


def test_links_that_lead_round_in_circles_end(place: Path) -> None:
    rooms = [place.parent / "maze" / str(number) for number in range(8)]
    for room in rooms:
        room.mkdir(parents=True)
        (room / "1.jpg").touch()
    for room in rooms:
        for other in rooms:
            (room / f"to {other.name}").symlink_to(other)
    link(place, "maze", "../maze")
    found = listing(place)
    assert len([name for name in found.pictures if name.startswith("maze")]) == 8


def test_folders_nested_beyond_what_recursion_bears_are_read(tmp_path: Path) -> None:
    place = tmp_path
    for _ in range(600):
        place /= "d"
    place.mkdir(parents=True)
    assert len(listing(tmp_path).folders) == 600
