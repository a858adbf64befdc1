"""The cache of a hub's client, laid out as that does, and a hub that does not answer."""

from collections.abc import Mapping
from hashlib import sha1, sha256
from pathlib import Path

import pytest

from experiments.models import hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def turn_off(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's client look into `cache`, not into this machine's own, and the hub not answer."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(hub, "unreachable", lambda: "https://hub did not answer (it is off)")


def keep(
    cache: Path, name: str, files: Mapping[str, Path], kind: str = "models", commit: str = COMMIT
) -> Path:
    """Keep files in the cache as a repository's branch main, and return the folder of its commit.

    They are named by their hash, as the hub has it of large and of other files.
    """
    place = cache / f"{kind}--{name.replace('/', '--')}"
    for part in ("blobs", "refs"):
        (place / part).mkdir(parents=True)
    (place / "refs" / "main").write_text(commit)
    kept = place / "snapshots" / commit
    kept.mkdir(parents=True)
    for file, source in sorted(files.items()):
        content = source.read_bytes()
        as_git = b"blob %d\0" % len(content) + content
        is_large = file.endswith(".safetensors")
        hashed = sha256(content) if is_large else sha1(as_git, usedforsecurity=False)
        blob = place / "blobs" / hashed.hexdigest()
        if not blob.exists():
            blob.hardlink_to(source)
        (kept / file).parent.mkdir(exist_ok=True)
        (kept / file).symlink_to(blob)
    return kept


def lose(file: Path, *, broken_off: bool) -> None:
    """Make a file of the cache a link to nowhere: its download was broken off, or its blob is gone."""
    blob = file.resolve()
    if broken_off:
        blob.rename(blob.with_suffix(".incomplete"))
    else:
        blob.unlink()
