import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel

from experiments import profile
from experiments.config.images import GeneratedConfig, ImageFolder
from experiments.config.photos import GeneratedPhotos, PhotoFolder
from experiments.datasets.image_folder import problems_of, split_of
from experiments.datasets.photo_folder import load_photo_folder
from experiments.new_profile.folders import as_written
from experiments.new_profile.start import start, what_next
from experiments.new_profile.template import TEMPLATE, Block, blocks, written
from experiments.stages import STAGES
from pipeline.errors import UserError
from tests.support.committed import committed
from tests.support.copies import ROOT

OWN = {"name", "description"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder, which is also the current one, as for the command line."""
    (tmp_path / "profiles").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(path: Path, seed: int = 0, size: tuple[int, int] = (40, 50)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def captioned(folder: Path, count: int, captions: str = "captions.csv") -> None:
    """Write photos into ``photos`` and their captions beside it."""
    for number in range(count):
        picture(folder / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,thing number {number}" for number in range(count)]
    (folder / captions).write_text("\n".join(["image,caption", *lines]))


def classes(folder: Path, *parts: str, size: tuple[int, int] = (40, 50)) -> None:
    """Write two classes of three images each into ``animals``, once for each part."""
    for part in parts:
        for name in ("cat", "dog"):
            for number in range(3):
                place = folder / "animals" / part / name / f"{number}.png"
                picture(place, hash((part, name, number)) % 1000, size)


def without_own(loaded: profile.Profile) -> dict[str, Any]:
    return loaded.model_dump(exclude=OWN)


def test_a_profile_without_options_runs_what_the_committed_results_were_made_with(folder: Path) -> None:
    path = start("mine", folder)
    assert path == folder / "profiles" / "mine.toml"
    mine = profile.load("mine", folder)
    assert mine.images.model_dump() == {"kind": "cifar10", "source": "npm"}
    photos = {"kind": "cifar10_captions", "captions": "data/cifar10_captions.csv"}
    assert mine.photos.model_dump(mode="json") == photos
    for name, stage in STAGES.items():
        options = getattr(mine, stage.config).model_dump(mode="json")
        assert options == committed(name).provenance.ingredients.config
    assert mine.name == "mine"
    assert "#:" not in path.read_text()


def alternatives() -> list[Block]:
    return [block for block in blocks(TEMPLATE.read_text()) if block.group]


def switched(text: str, block: Block) -> str:
    """Switch a block on by hand, as the text's first lines say, and the one that is on off."""
    for other in alternatives():
        if other.group == block.group:
            on = "\n" + "\n".join(other.lines)
            off = "\n" + "\n".join(
                line if not line or line.startswith("# ") else f"#{line}" for line in other.lines
            )
            assert (on in text) != (off in text)
            text = text.replace(off, on) if other == block else text.replace(on, off)
    return text


@pytest.mark.parametrize("block", alternatives(), ids=lambda block: f"{block.group}-{block.name}")
def test_every_block_that_is_off_loads_when_it_is_switched_on_by_hand(folder: Path, block: Block) -> None:
    path = start("mine", folder)
    (folder / "models" / "captioner").mkdir(parents=True)
    (folder / "models" / "ViT-B-32.safetensors").touch()
    by_hand = switched(path.read_text(), block)
    assert by_hand == written(TEMPLATE.read_text(), {(block.group, block.name): {}})
    path.write_text(by_hand)
    loaded = profile.load("mine", folder)
    start("untouched", folder)
    untouched = profile.load("untouched", folder)
    is_first = next(other for other in alternatives() if other.group == block.group) == block
    assert (without_own(loaded) == without_own(untouched)) == is_first


def test_the_blocks_cover_all_that_the_assignment_has(folder: Path) -> None:
    on = {
        "photos": "flickr30k",
        "captioner": "hub",
        "targets": "gpt2",
        "attention": "gpt2",
        "tower": "open_clip",
    }
    (folder / "profiles" / "mine.toml").write_text(
        written(TEMPLATE.read_text(), {(group, name): {} for group, name in on.items()})
        .replace('source = "npm"', 'source = "torchvision"')
    )  # fmt: skip
    assert without_own(profile.load("mine", folder)) == without_own(profile.load("assignment", ROOT))


@pytest.mark.parametrize("missing", [block for block in alternatives() if block.group in ("images", "tower")])
def test_two_blocks_of_a_kind_are_refused_by_the_profile(folder: Path, missing: Block) -> None:
    path = start("mine", folder)
    path.write_text(path.read_text() + "\n" + "\n".join(missing.lines))
    with pytest.raises(UserError, match="not valid TOML"):
        profile.load("mine", folder)


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


def explained(text: str) -> set[str]:
    """Return the keys, on or off, that have a comment on their line."""
    lines = (line.lstrip("#") for line in text.splitlines() if not line.startswith("# "))
    return {line.partition(" = ")[0] for line in lines if " = " in line and "  # " in line}


def section_texts(text: str) -> dict[str, str]:
    """Return the text of each section by its name, of all its blocks together."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        bare = line.lstrip("#")
        if bare.startswith("[") and bare.rstrip().endswith("]"):
            name = bare.strip("[]")
        found[name] = found.get(name, "") + line + "\n"
    return found


def test_every_key_of_every_section_is_there_with_a_comment(folder: Path) -> None:
    text = start("mine", folder).read_text()
    keys, known = explained(text), {"description"}
    for config, field in profile.Profile.model_fields.items():
        if config in OWN:
            continue
        for model in models(field.annotation):
            for key, about in model.model_fields.items():
                nested = list(models(about.annotation))
                is_table = bool(nested)
                known |= set() if is_table else {key}
                assert is_table or key in keys, f"{model.__name__}.{key} of [{config}]"
    assert keys == known, "no key is explained that is none"


@pytest.mark.parametrize("config", sorted(set(profile.Profile.model_fields) - OWN))
def test_the_keys_stand_in_their_own_section(folder: Path, config: str) -> None:
    texts = section_texts(start("mine", folder).read_text())
    own = "".join(text for name, text in texts.items() if name.partition(".")[0] == config)
    for model in models(profile.Profile.model_fields[config].annotation):
        for key, about in model.model_fields.items():
            assert list(models(about.annotation)) or key in explained(own), f"{model.__name__}.{key}"


def test_every_line_with_a_value_has_a_comment(folder: Path) -> None:
    for line in start("mine", folder).read_text().splitlines():
        if " = " in line and not line.startswith("# "):
            assert "  # " in line, line


def test_photos_of_a_users_own_are_switched_on_with_counts_that_fit(folder: Path) -> None:
    captioned(folder, 7)
    start("mine", folder, photos="photos", captions="captions.csv")
    config: Any = profile.load("mine", folder).photos
    assert config == PhotoFolder(
        kind="folder", folder="photos", captions="captions.csv", tuning=3, evaluation=4, seed=0
    )
    assert len(load_photo_folder(config, folder).evaluation) == 4
    assert "#captions = " in (folder / "profiles" / "mine.toml").read_text(), "the other blocks stay, off"


def test_of_many_photos_as_many_are_taken_as_the_assignment_takes(folder: Path) -> None:
    captioned(folder, 130)
    start("mine", folder, photos="photos", captions="captions.csv")
    config: Any = profile.load("mine", folder).photos
    assert (config.tuning, config.evaluation) == (50, 60)


def test_photos_that_are_not_there_do_not_count(folder: Path) -> None:
    captioned(folder, 10)
    for number in range(5):
        (folder / "photos" / f"{number}.png").unlink()
    start("mine", folder, photos="photos", captions="captions.csv")
    config: Any = profile.load("mine", folder).photos
    assert (config.tuning, config.evaluation) == (2, 3)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_photos_are_refused(folder: Path, count: int) -> None:
    captioned(folder, count)
    with pytest.raises(UserError, match="at least three are needed"):
        start("mine", folder, photos="photos", captions="captions.csv")
    assert not list((folder / "profiles").iterdir())


def test_captions_with_a_bad_line_are_left_to_the_check(folder: Path) -> None:
    captioned(folder, 6)
    path = folder / "captions.csv"
    path.write_text(path.read_text() + "\n5.png,\n")
    start("mine", folder, photos="photos", captions="captions.csv")
    assert profile.load("mine", folder).photos.kind == "folder"


def test_images_of_a_users_own_are_switched_on_and_split_by_lot(folder: Path) -> None:
    classes(folder, "")
    start("mine", folder, images="animals")
    config: Any = profile.load("mine", folder).images
    assert config == ImageFolder(kind="folder", folder="animals", size=40, test_share=0.2, seed=0)
    assert split_of(config, folder).classes == ("cat", "dog")


@pytest.mark.parametrize("test", ["test", "val"])
def test_images_that_are_split_already_stay_so(folder: Path, test: str) -> None:
    classes(folder, "train", test)
    start("mine", folder, images="animals")
    config: Any = profile.load("mine", folder).images
    assert (config.test_share, config.seed) == (None, None)
    assert problems_of(config, folder) == []
    assert "\n#test_share = 0.2  # " in (folder / "profiles" / "mine.toml").read_text()


@pytest.mark.parametrize(
    ("shape", "size"), [((300, 400), 64), ((20, 20), 32), ((47, 90), 40), ((64, 64), 64)]
)
def test_the_size_follows_from_the_pictures(folder: Path, shape: tuple[int, int], size: int) -> None:
    classes(folder, "", size=shape)
    start("mine", folder, images="animals")
    config: Any = profile.load("mine", folder).images
    assert config.size == size


def test_all_three_options_go_together(folder: Path) -> None:
    captioned(folder, 8)
    classes(folder, "")
    start("mine", folder, photos="photos", captions="captions.csv", images="animals")
    loaded = profile.load("mine", folder)
    assert (loaded.images.kind, loaded.photos.kind) == ("folder", "folder")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"photos": "photos"}, "belong together"),
        ({"captions": "captions.csv"}, "belong together"),
        ({"photos": "nowhere", "captions": "captions.csv"}, "There is no folder .*nowhere"),
        ({"photos": "photos", "captions": "nothing.csv"}, "cannot be read"),
        ({"images": "nowhere"}, "There is no folder .*nowhere"),
        ({"images": "photos"}, "no folders with images"),
    ],
)
def test_what_cannot_be_used_at_all_is_one_sentence_and_no_file(
    folder: Path, options: dict[str, str], sentence: str
) -> None:
    captioned(folder, 4)
    with pytest.raises(UserError, match=sentence) as refused:
        start("mine", folder, **options)
    assert "\n" not in str(refused.value)
    assert not list((folder / "profiles").iterdir())


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "x.toml", "-x", "é", "a\n", "_x", ".x"])
def test_a_name_must_be_a_plain_files(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="letters, digits, - and _"):
        start(name, folder)
    assert [path.name for path in folder.iterdir()] == ["profiles"]


@pytest.mark.parametrize("name", ["offline", "smoke", "assignment", "downloads", "prepared", "hashes"])
def test_names_of_the_project_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(UserError, match="taken by the project"):
        start(name, folder)


def test_the_three_profiles_of_the_project_are_those_whose_names_are_refused() -> None:
    from experiments.new_profile.start import COME_WITH_THE_PROJECT

    assert {path.stem for path in (ROOT / "profiles").glob("*.toml")} >= set(COME_WITH_THE_PROJECT)


def test_a_file_that_is_there_is_never_overwritten(folder: Path) -> None:
    (folder / "profiles" / "mine.toml").write_text("precious")
    with pytest.raises(UserError, match="is there already"):
        start("mine", folder)
    assert (folder / "profiles" / "mine.toml").read_text() == "precious"


def test_paths_are_written_from_the_projects_folder_or_whole_and_home_stays(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere")
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


def test_home_is_not_written_out_in_a_profile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(folder / "home", "")
    monkeypatch.setenv("HOME", str(folder / "home"))
    start("mine", folder, images="~/animals")
    config: Any = profile.load("mine", folder).images
    assert config.folder == "~/animals"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_path_is_read_back_as_it_was(path: str) -> None:
    import tomllib

    text = written(TEMPLATE.read_text(), {("images", "folder"): {"folder": path, "size": 32}})
    found = tomllib.loads(text)["images"]
    assert (found["folder"], found["size"], found["test_share"]) == (path, 32, 0.2)


def test_a_path_that_no_text_can_hold_is_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="not text in UTF-8"):
        written(TEMPLATE.read_text(), {("images", "folder"): {"folder": "a\udcff"}})


def test_the_command_writes_the_profile_and_says_what_to_do_next_without_torch(folder: Path) -> None:
    guard = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['experiments', 'new', 'mine'];"
        f"sys.path.insert(0, {str(ROOT)!r}); import runpy;"
        "runpy.run_module('experiments', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", guard], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == list(what_next("mine"))
    assert (folder / "profiles" / "mine.toml").is_file()
    for word in ("check --profile mine", "run --profile mine", "QUARTO_PROFILE=mine make report"):
        assert word in done.stdout
    again = subprocess.run([sys.executable, "-c", guard], capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert len(again.stderr.splitlines()) == 1
