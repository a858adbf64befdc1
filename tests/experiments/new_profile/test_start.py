import errno
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pytest import MonkeyPatch as Patch
from typer.testing import CliRunner

from experiments import profile
from experiments.__main__ import app
from experiments.config.images import GeneratedConfig, ImageFolder
from experiments.config.photos import GeneratedPhotos, PhotoFolder
from experiments.datasets.image_folder import problems_of
from experiments.datasets.photo_folder import problems
from experiments.new_profile.folders import as_written
from experiments.new_profile.start import TEMPLATE, start, what_next, with_folder
from experiments.stages import STAGES
from tests.support.committed import committed
from tests.support.copies import ROOT
from tests.support.refusals import refusal
from tests.support.small_profiles import draw, draw_classes, draw_photos

OWN = {"name", "description"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    """Return a project's folder, which is also the current one, as for the command line."""
    project = tmp_path / "project"
    (project / "profiles").mkdir(parents=True)
    monkeypatch.chdir(project)
    return project


def without_own(loaded: profile.Profile) -> dict[str, Any]:
    return loaded.model_dump(exclude=OWN)


def test_a_profile_without_options_runs_what_the_committed_results_were_made_with(folder: Path):
    path = start("mine", folder)
    assert path == folder / "profiles" / "mine.toml"
    mine = profile.load("mine", folder)
    assert mine.images and mine.photos
    assert mine.images == profile.load("offline", ROOT).images
    photos = {"kind": "cifar10_captions", "captions": "data/cifar10_captions.csv"}
    assert mine.photos.model_dump(mode="json") == photos
    for name, stage in STAGES.items():
        options = getattr(mine, stage.config).model_dump(mode="json")
        assert options == committed(name).provenance.ingredients.config
    assert mine.name == "mine"


def switched(text: str, sign: str) -> str:
    """Switch on by hand, as the text's first lines say, the block with `sign`, and off what it replaces.

    What begins with the block's table is replaced: `[captioner]` and the tables within it.
    """
    blocks = text.split("\n\n")
    (wanted,) = (block for block in blocks if sign in block and "\n#[" in block)
    table = wanted.partition("#[")[2].partition("]")[0]
    for position, block in enumerate(blocks):
        if block == wanted:
            blocks[position] = re.sub("(?m)^#(?! )", "", block)
        elif f"\n[{table}]\n" in block or f"\n[{table}." in block:
            blocks[position] = re.sub("(?m)^(?!# )", "#", block)
    return "\n\n".join(blocks)


ALTERNATIVES = re.findall(r"(?m)^(# .*)\n#\[", TEMPLATE.read_text())
assert len(ALTERNATIVES) == 8


@pytest.mark.parametrize("prose", ALTERNATIVES)
def test_every_block_that_is_off_loads_when_it_is_switched_on_by_hand(folder: Path, prose: str):
    path = start("mine", folder)
    (folder / "models" / "captioner").mkdir(parents=True)
    (folder / "models" / "ViT-B-32.safetensors").touch()
    start("untouched", folder)
    path.write_text(switched(path.read_text(), prose))
    assert without_own(profile.load("mine", folder)) != without_own(profile.load("untouched", folder))


def test_the_blocks_cover_all_that_the_assignment_has(folder: Path):
    text = start("mine", folder).read_text()
    for sign in ('"flickr30k"', '"nlpconnect/vit-gpt2-image-captioning"', '"openai"'):
        text = switched(text, sign)
    text = re.sub(r"(?m)^(\w*targets = .*)\n#", r"#\1\n", text)
    text = text.replace('source = "npm"', 'source = "torchvision"')
    (folder / "profiles" / "mine.toml").write_text(text)
    assert without_own(profile.load("mine", folder)) == without_own(profile.load("assignment", ROOT))


SMOKE_ONLY = (GeneratedConfig, GeneratedPhotos)


def models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield all sections that an annotation can hold, and those in them."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind not in SMOKE_ONLY and not kind.__name__.startswith("Random"):
            yield kind
            for field in kind.model_fields.values():
                yield from models(field.annotation)
        return
    for part in get_args(kind):
        yield from models(part)


def explained(text: str) -> dict[str, set[str]]:
    """Return the keys, on or off, of all blocks of each section; every one has a comment on its line."""
    found: dict[str, set[str]] = defaultdict(set)
    section = ""
    for line in text.splitlines():
        table = re.match(r"#*\[+(\w+)", line)
        if table:
            section = table[1]
        elif " = " in line and not line.startswith("# "):
            assert "  # " in line, line
            found[section].add(line.lstrip("#").partition(" = ")[0])
    return found


def test_every_key_of_every_section_stands_there_with_a_comment_and_no_other():
    found = explained(TEMPLATE.read_text())
    for config in set(profile.Profile.model_fields) - OWN:
        kinds = list(models(profile.Profile.model_fields[config].annotation))
        fields = {name: about.annotation for kind in kinds for name, about in kind.model_fields.items()}
        keys = {name for name, annotation in fields.items() if not list(models(annotation))}
        assert found[config] == keys, config


OWN_PHOTOS = {"photos": "photos", "captions": "captions.csv"}


@pytest.mark.parametrize("place", [(7, 0, 3, 4), (130, 0, 50, 60), (10, 5, 2, 3)])
def test_photos_that_are_there_are_taken_up_to_as_many_as_in_the_assignment(folder: Path, place: Any):
    count, absent, tuning, evaluation = place
    draw_photos(folder, count)
    for number in range(absent):
        (folder / "photos" / f"{number}.png").unlink()
    text = start("mine", folder, **OWN_PHOTOS).read_text()
    drawn = {"tuning": tuning, "evaluation": evaluation, "seed": 0}
    expected = PhotoFolder(kind="folder", folder="photos", captions="captions.csv", **drawn)
    assert profile.load("mine", folder).photos == expected
    assert '#kind = "cifar10_captions"' in text, "the other blocks stay, off"
    assert '#kind = "flickr30k"' in text


@pytest.mark.parametrize("inner", ["", "Images"])
def test_a_new_profile_of_a_part_of_the_photos_has_no_problem(folder: Path, inner: str):
    draw_photos(folder, 40)
    for number in range(30):
        (folder / "photos" / f"{number}.png").unlink()
    if inner:
        (folder / "photos").rename(folder / inner)
        (folder / "photos").mkdir()
        (folder / inner).rename(folder / "photos" / inner)
    start("mine", folder, **OWN_PHOTOS)
    config: Any = profile.load("mine", folder).photos
    assert (config.tuning, config.evaluation) == (5, 5)
    wrong, remarks = problems(config, folder)
    assert wrong == []
    assert "captions.csv names and photos lacks, none of them drawn: 30" in remarks[0]
    draw(folder / "photos" / "bare.png", seed=1)
    (folder / "profiles" / "mine.toml").unlink()
    said = CliRunner().invoke(app, ["new", "mine", "--photos", "photos", "--captions", "captions.csv"])
    assert said.exit_code == 0 and remarks[0] in said.stdout
    assert "pictures in photos without captions, which are not used: 1, such as" in said.stdout


def test_photos_alone_take_a_captioner_that_comes_whole_and_images_alone_none(folder: Path):
    draw_photos(folder, 8)
    draw_classes(folder / "animals", count=3)
    start("words", folder, **OWN_PHOTOS)
    loaded = profile.load("words", folder)
    assert loaded.images is loaded.zero_shot is loaded.cnn is loaded.vit is None
    assert loaded.captioner and loaded.lora and loaded.variants
    assert (loaded.captioner.kind, loaded.captioner.held_out) == ("vision_encoder_decoder", 0)
    assert set(loaded.variants.attention_targets) < set(loaded.lora.targets) == {"c_attn", "c_proj", "c_fc"}
    text = start("pets", folder, images="animals").read_text()
    loaded = profile.load("pets", folder)
    assert loaded.photos is loaded.captioner is loaded.lora is loaded.variants is None
    assert loaded.images and loaded.zero_shot and loaded.cnn and loaded.vit
    on = [line for line in text.splitlines() if line.startswith("[")]
    sets = ["[[zero_shot.prompt_sets]]"] * 2
    assert on == [
        "[images]",
        "[evidence]",
        "[audit]",
        "[zero_shot]",
        "[zero_shot.tower]",
        *sets,
        "[cnn]",
        "[vit]",
    ]


def test_captions_with_a_bad_line_are_left_to_the_check(folder: Path):
    path = draw_photos(folder, 6)
    path.write_text(path.read_text() + "\n5.png,\n")
    start("mine", folder, **OWN_PHOTOS)
    assert isinstance(profile.load("mine", folder).photos, PhotoFolder)


@pytest.mark.parametrize("shape", [(300, 400, 64), (20, 20, 32), (47, 90, 40), (64, 64, 64), (40, 50, 40)])
def test_images_of_a_size_that_fits_them_are_switched_on_beside_photos(folder: Path, shape: Any):
    draw_photos(folder, 8)
    draw_classes(folder / "animals", count=3, size=shape[:2])
    start("mine", folder, **OWN_PHOTOS, images="animals")
    config: Any = profile.load("mine", folder).images
    assert config == ImageFolder(kind="folder", folder="animals", size=shape[2], test_share=0.2, seed=0)
    assert isinstance(profile.load("mine", folder).photos, PhotoFolder)


def test_a_folder_whose_name_has_a_space_that_does_not_break_is_like_any_other(folder: Path):
    draw_classes(folder / "my\u202fpets\u00a0too", count=3)
    start("mine", folder, images="my\u202fpets\u00a0too")
    config: Any = profile.load("mine", folder).images
    assert config.folder == "my\u202fpets\u00a0too"


@pytest.mark.parametrize("test", ["test", "val"])
def test_images_that_are_split_stay_so_and_home_is_not_resolved(folder: Path, test: str, monkeypatch: Patch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    for part in ("train", test):
        draw_classes(folder / "home" / "animals" / part, count=3)
    text = start("mine", folder, images="~/animals").read_text()
    config: Any = profile.load("mine", folder).images
    assert (config.folder, config.test_share, config.seed) == ("~/animals", None, None)
    assert problems_of(config, folder) == []
    assert "\n#test_share = 0.2  # " in text


def test_what_cannot_be_used_at_all_is_one_sentence_and_no_file(folder: Path):
    draw_photos(folder, 4)
    draw_photos(folder / "few", 2)
    for options, sentence in (
        ({"photos": "photos"}, "belong together"),
        ({"captions": "captions.csv"}, "belong together"),
        ({"photos": "nowhere", "captions": "captions.csv"}, "There is no folder .*nowhere"),
        ({"photos": "photos", "captions": "nothing.csv"}, "cannot be read"),
        ({"images": "nowhere"}, "There is no folder .*nowhere"),
        ({"images": "photos"}, "no folders with images"),
        ({"images": "a\nb"}, "cannot name the path 'a.nb': rename what has an unseen character"),
        ({"photos": "few/photos", "captions": "few/captions.csv"}, "has 2 of .* at least three are needed"),
    ):
        assert re.search(sentence, refusal(start, "mine", folder, **options))
    assert not list((folder / "profiles").iterdir())


def test_a_name_must_be_a_plain_files_and_free(folder: Path):
    for name in ("", "a/b", "../x", "a b", "x.toml", "-x", "é", "a\n", "_x", ".x"):
        assert "letters, digits, - and _" in refusal(start, name, folder)
    for name in ("offline", "smoke", "assignment", "downloads", "prepared", "hashes"):
        assert "taken by the project" in refusal(start, name, folder)
    assert [path.name for path in folder.rglob("*")] == ["profiles"]


def test_paths_are_written_from_the_projects_folder_or_whole_and_home_stays(folder: Path, tmp_path: Path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    assert as_written(str(folder / "a" / "b"), folder) == "a/b"
    assert as_written("a/b/", folder) == "a/b"
    assert as_written(str(outside), folder) == str(outside)
    assert as_written("~/photos", folder) == "~/photos"
    linked = outside / "link"
    linked.symlink_to(folder)
    assert as_written(str(folder / "a"), linked) == "a", "however the project's folder is called"
    (folder / "far").symlink_to(outside)
    assert as_written("far", folder) == "far", "a link in the project lies in the project"
    assert as_written("../x", folder) == os.path.normpath(folder / ".." / "x")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_path_is_read_back_as_it_was(path: str):
    text = with_folder(TEMPLATE.read_text(), "images", {"folder": path, "size": 32})
    found = tomllib.loads(with_folder(text, "photos", {"folder": path}))
    assert (found["images"]["folder"], found["photos"]["folder"]) == (path, path)
    assert (found["images"]["size"], found["images"]["test_share"]) == (32, 0.2)


def test_a_path_that_no_text_can_hold_is_a_sentence():
    assert "not text in UTF-8" in refusal(with_folder, TEMPLATE.read_text(), "images", {"folder": "a\udcff"})


def test_the_command_writes_a_profile_once_and_says_what_to_do_next_without_torch(folder: Path):
    guard = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['experiments', 'new', 'mine'];"
        f"sys.path.insert(0, {str(ROOT)!r}); import runpy;"
        "runpy.run_module('experiments', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", guard], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == list(what_next("mine"))
    path = folder / "profiles" / "mine.toml"
    assert path.is_file()
    path.write_text("precious")
    for word in ("check --profile mine", "run --profile mine", "QUARTO_PROFILE=mine make report"):
        assert word in done.stdout
    again = subprocess.run([sys.executable, "-c", guard], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert len(again.stderr.splitlines()) == 1
    assert path.read_text() == "precious"


def test_a_profile_for_which_there_is_no_room_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        start("mine", tmp_path)
    assert not [*(tmp_path / "profiles").iterdir()]
