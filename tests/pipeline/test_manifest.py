import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import manifest
from pipeline.manifest import Files


def folder_of(contents: dict[str, bytes], place: Path) -> Files:
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return Files(place, tuple(sorted(contents)))


def lines(files: Files, memory: Path) -> list[str]:
    return list(manifest.lines(files, memory))


NAMES = st.text("abc é-.#'", min_size=1, max_size=5).filter(lambda name: name.strip(".") and "/" not in name)


@given(st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=6), st.data())
@settings(max_examples=60)
def test_what_is_remembered_never_changes_what_is_said(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        files = folder_of(contents, Path(place) / "files")
        memory = Path(place) / "memory"
        lines(files, memory)
        for name in data.draw(st.lists(st.sampled_from(files.names), max_size=3)):
            (files.folder / name).write_bytes(data.draw(st.binary(max_size=20)))
        for name in data.draw(st.lists(NAMES, max_size=2)):
            files = folder_of({name: b"new"}, files.folder) if not (files.folder / name).exists() else files
        files = Files(files.folder, tuple(sorted(path.name for path in files.folder.iterdir())))
        expected = [
            f"{hashlib.sha256((files.folder / name).read_bytes()).hexdigest()}  {name}\n"
            for name in files.names
        ]
        assert lines(files, memory) == expected


def test_a_file_that_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = folder_of({f"{number}.jpg": bytes([number]) for number in range(9)}, tmp_path / "files")
    first = lines(files, tmp_path / "memory")
    (files.folder / "4.jpg").write_bytes(b"other")
    read: list[str] = []
    original = hashlib.file_digest

    def spy(file: object, name: str) -> object:
        read.append(Path(file.name).name)  # pyright: ignore[reportAttributeAccessIssue]
        return original(file, name)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(hashlib, "file_digest", spy)
    second = lines(files, tmp_path / "memory")
    assert read == ["4.jpg"]
    assert [one == other for one, other in zip(first, second, strict=True)] == [n != 4 for n in range(9)]


def test_a_change_that_keeps_size_and_date_is_seen(tmp_path: Path) -> None:
    files = folder_of({"a.jpg": b"one"}, tmp_path / "files")
    before = lines(files, tmp_path / "memory")
    old = (files.folder / "a.jpg").stat()
    (files.folder / "a.jpg").write_bytes(b"two")
    os.utime(files.folder / "a.jpg", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert lines(files, tmp_path / "memory") != before


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xff\xfe\n\n", b"0 0 a.jpg"])
def test_a_damaged_memory_costs_time_and_nothing_else(tmp_path: Path, damage: bytes) -> None:
    files = folder_of({"a.jpg": b"one", "b.jpg": b"two"}, tmp_path / "files")
    expected = lines(files, tmp_path / "memory")
    (tmp_path / "memory").write_bytes(damage)
    assert lines(files, tmp_path / "memory") == expected


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_checks_what_is_written(tmp_path: Path) -> None:
    files = folder_of({"a b.jpg": b"one", "sub/c'.jpg": b"two", "é.jpg": b"3"}, tmp_path / "files")
    (tmp_path / "photos.sha256").write_text("".join(lines(files, tmp_path / "memory")))
    command = ["sha256sum", "--strict", "-c", str(tmp_path / "photos.sha256")]
    assert subprocess.run(command, cwd=files.folder, check=False, capture_output=True).returncode == 0
    (files.folder / "a b.jpg").write_bytes(b"four")
    assert subprocess.run(command, cwd=files.folder, check=False, capture_output=True).returncode == 1


def test_the_digest_is_that_of_the_text_and_counts_its_lines(tmp_path: Path) -> None:
    files = folder_of({"a.jpg": b"one", "b.jpg": b"two"}, tmp_path / "files")
    (tmp_path / "recorded").write_text("".join(lines(files, tmp_path / "memory")))
    expected = hashlib.sha256((tmp_path / "recorded").read_bytes()).hexdigest()
    assert manifest.digest(manifest.lines(files, tmp_path / "memory")) == (expected, 2)
    assert manifest.digest(manifest.recorded(tmp_path / "recorded")) == (expected, 2)
