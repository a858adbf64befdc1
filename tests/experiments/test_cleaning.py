"""`clean` in a copy of the project's code, with folders as runs leave them."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from experiments.cleaning import clean
from experiments.datasets.pictures import Pictures
from experiments.lending import IMAGES, prepared_folder
from experiments.models.feature_store import cached_features
from experiments.project import open_project
from pipeline import freshness, keys
from pipeline.closure import Code
from pipeline.errors import UserError
from tests.support.contexts import context
from tests.support.copies import copy_parts

OLD = "0" * 16


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_parts(tmp_path_factory.mktemp("code"), "pipeline", "experiments", "profiles", "data")


@pytest.fixture
def root(code: Path) -> Iterator[Path]:
    yield code
    shutil.rmtree(code / ".cache", ignore_errors=True)


def scratch(root: Path, profile: str, stage: str) -> Path:
    """Return where a stage works at today's key."""
    key = freshness.of(open_project(profile, root), stage).key
    return root / ".cache" / profile / stage / key[:16]


def filled(path: Path) -> Path:
    """Write a file of one megabyte, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(1_000_000))
    return path


def features(root: Path, folder: Path, seed: int) -> Path:
    """Let a stage that works in `folder` use features, and return their file."""
    pictures = Pictures(lambda position: np.full((2, 2, 3), seed, np.uint8), 1)
    lent = context(folder, shared=root / ".cache" / "smoke")
    kept = cached_features(
        lambda batch: torch.zeros(len(batch), 1), "encoder", pictures, lent, module=__name__, folder="kept"
    )
    assert isinstance(kept.features, np.memmap)
    return Path(str(kept.features.filename))


def test_clean_deletes_what_no_profiles_key_leads_to_and_says_how_much(root: Path) -> None:
    cache = root / ".cache"
    smoke, today = open_project("smoke", root), keys.Today(Code(root))
    images = keys.identity(smoke, IMAGES, today)
    kept = [
        filled(scratch(root, "smoke", "cnn") / "checkpoint.pt"),
        filled(scratch(root, "offline", "align") / "network"),
        filled(cache / "prepared" / prepared_folder(smoke, images.sha256, today.code).name / "x.npy"),
        filled(cache / "downloads" / "archive"),
        filled(cache / "hashes" / "images"),
        filled(cache / "site-being-rendered" / "index.html"),
    ]
    gone = [
        filled(cache / "smoke" / "cnn" / OLD / "checkpoint.pt"),
        filled(cache / "smoke" / "align" / scratch(root, "smoke", "cnn").name / "a key of another stage"),
        filled(cache / "prepared" / OLD / "x.npy"),
        filled(cache / "a-profile-that-is-gone" / "cnn" / OLD / "checkpoint.pt"),
        filled(cache / "reproduction" / "smoke" / "cache" / "cnn" / OLD / "checkpoint.pt"),
        filled(cache / "smoke" / "embeddings" / "of-no-known-use.npy"),
    ]
    lines = clean(root, everything=False).lines
    assert [path for path in kept if not path.exists()] == []
    assert [path for path in gone if path.exists()] == []
    assert f"      1.0 MB  .cache/smoke/cnn/{OLD}" in lines
    assert lines[-1].startswith("Freed 6.0 MB.")
    assert clean(root, everything=False).lines[:-1] == ()


def test_features_stay_while_a_stage_used_them_at_todays_key(root: Path) -> None:
    today, old = scratch(root, "smoke", "cnn"), root / ".cache" / "smoke" / "cnn" / OLD
    for_both, for_old = features(root, old, 1), features(root, old, 2)
    assert features(root, today, 1) == for_both
    clean(root, everything=False)
    assert for_both.is_file()
    assert for_both.with_suffix(".json").is_file()
    assert not for_old.exists()
    assert not for_old.with_suffix(".json").exists()
    assert [path.name.split(".")[1] for path in for_both.parent.glob("*.used")] == [f"cnn-{today.name}"]


def test_clean_all_leaves_the_downloads_alone(root: Path) -> None:
    download = filled(root / ".cache" / "downloads" / "archive")
    filled(scratch(root, "smoke", "cnn") / "checkpoint.pt")
    filled(root / ".cache" / "quarto.log")
    assert clean(root, everything=True).lines[-1] == "Freed 2.0 MB. Results and downloads stay."
    assert [*(root / ".cache").iterdir()] == [download.parent]


@pytest.mark.parametrize("everything", [False, True])
def test_links_are_neither_followed_nor_deleted(root: Path, tmp_path: Path, everything: bool) -> None:
    mine = filled(tmp_path / OLD / "thesis.pdf")
    links = [root / ".cache" / name for name in ("linked", f"smoke/cnn/{OLD}")]
    for link in links[: 1 if everything else 2]:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(mine.parent)
    inner = root / ".cache" / "gone" / "cnn" / "inner"
    inner.parent.mkdir(parents=True)
    inner.symlink_to(mine.parent)
    clean(root, everything=everything)
    assert mine.is_file()
    assert all(link.is_symlink() for link in links[: 1 if everything else 2])
    assert not inner.parent.exists()


def test_nothing_is_deleted_if_a_profile_cannot_be_read_or_a_stage_is_running(root: Path) -> None:
    old = filled(root / ".cache" / "smoke" / "cnn" / OLD / "checkpoint.pt")
    broken = root / "profiles" / "broken.toml"
    broken.write_text("[cnn")
    try:
        with pytest.raises(UserError, match=r"broken.toml is not valid TOML.*Nothing was deleted"):
            clean(root, everything=False)
    finally:
        broken.unlink()
    lock = root / "results" / "smoke" / ".cnn.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock), pytest.raises(UserError, match="Stage cnn is running: wait for it or stop it"):
        clean(root, everything=False)
    assert old.is_file()


@pytest.mark.parametrize("everything", [False, True])
def test_what_other_programs_keep_in_the_same_cache_stays(root: Path, everything: bool) -> None:
    """As in a home folder that is the project's."""
    names = ("huggingface/hub/model", "thesis/cnn/x", "pip/http/1", "notes.txt")
    others = [filled(root / ".cache" / name) for name in names]
    filled(root / ".cache" / "thesis" / "chapter.txt")
    clean(root, everything=everything)
    assert [path for path in others if not path.exists()] == []


@pytest.mark.parametrize("everything", [False, True])
def test_what_cannot_be_deleted_is_named_and_is_not_called_freed(
    root: Path, everything: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = filled(root / ".cache" / "smoke" / "cnn" / OLD / "checkpoint.pt")
    gone = filled(root / ".cache" / "prepared" / OLD / "x.npy")
    remove = shutil.rmtree

    def rmtree(path: Path, **options: object) -> None:
        if stuck.is_relative_to(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(stuck))
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    cleaned = clean(root, everything=everything)
    assert stuck.exists() and not gone.exists()
    assert cleaned.refused == (f"{stuck} (Permission denied)",)
    assert cleaned.lines[-1].startswith("Freed 1.0 MB.")
    assert not any("smoke" in line for line in cleaned.lines)


@pytest.mark.parametrize("everything", [False, True])
def test_a_cache_of_a_folder_without_profiles_is_left_alone(tmp_path: Path, everything: bool) -> None:
    other = filled(tmp_path / ".cache" / "another-program" / "file")
    with pytest.raises(UserError, match=r"has no profiles, so its \.cache is not this project's"):
        clean(tmp_path, everything=everything)
    assert other.is_file()
