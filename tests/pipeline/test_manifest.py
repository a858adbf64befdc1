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
from tests.support.commands import python, run
from tests.support.copies import ROOT
from tests.support.refusals import refusal


def folder_of(contents: dict[str, bytes], place: Path) -> Files:
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return Files(place, tuple(sorted(contents)))


def lines(files: Files) -> list[str]:
    """List the files, with a memory beside their folder."""
    return list(manifest.lines(files, files.folder.with_name("memory")))


@pytest.fixture
def two(tmp_path: Path) -> Files:
    return folder_of({"a.jpg": b"one", "b.jpg": b"two"}, tmp_path / "files")


NAMES = st.text("abc é-.#'", min_size=1, max_size=5).filter(lambda name: name.strip(".") and "/" not in name)


@given(st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=6), st.data())
@settings(max_examples=60)
def test_what_is_remembered_never_changes_what_is_said(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        files = folder_of(contents, Path(place) / "files")
        lines(files)
        for name in data.draw(st.lists(st.sampled_from(files.names), max_size=3)):
            (files.folder / name).write_bytes(data.draw(st.binary(max_size=20)))
        for name in data.draw(st.lists(NAMES, max_size=2)):
            files = folder_of({name: b"new"}, files.folder) if not (files.folder / name).exists() else files
        files = Files(files.folder, tuple(sorted(path.name for path in files.folder.iterdir())))
        expected = [
            f"{hashlib.sha256((files.folder / name).read_bytes()).hexdigest()}  {name}\n"
            for name in files.names
        ]
        assert lines(files) == expected


def test_a_file_that_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = folder_of({f"{number}.jpg": bytes([number]) for number in range(9)}, tmp_path / "files")
    first = lines(files)
    (files.folder / "4.jpg").write_bytes(b"other")
    read: list[str] = []
    original = hashlib.file_digest

    def spy(file: object, name: str) -> object:
        read.append(Path(file.name).name)  # pyright: ignore[reportAttributeAccessIssue]
        return original(file, name)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(hashlib, "file_digest", spy)
    second = lines(files)
    assert read == ["4.jpg"]
    assert [one == other for one, other in zip(first, second, strict=True)] == [n != 4 for n in range(9)]


def test_a_change_that_keeps_size_and_date_is_seen(two: Files) -> None:
    before, path = lines(two), two.folder / "a.jpg"
    old = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert lines(two) != before


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xff\xfe\n\n", b"0 0 a.jpg"])
def test_a_damaged_memory_costs_time_and_nothing_else(two: Files, damage: bytes) -> None:
    expected = lines(two)
    two.folder.with_name("memory").write_bytes(damage)
    assert lines(two) == expected


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_checks_what_is_written(tmp_path: Path) -> None:
    files = folder_of({"a b.jpg": b"one", "sub/c'.jpg": b"two", "é.jpg": b"3"}, tmp_path / "files")
    (tmp_path / "photos.sha256").write_text("".join(lines(files)))
    command = ["sha256sum", "--strict", "-c", str(tmp_path / "photos.sha256")]
    assert subprocess.run(command, cwd=files.folder, check=False, capture_output=True).returncode == 0
    (files.folder / "a b.jpg").write_bytes(b"four")
    assert subprocess.run(command, cwd=files.folder, check=False, capture_output=True).returncode == 1


def test_a_name_of_several_lines_is_written_as_sha256sum_reads_it_and_read_back(tmp_path: Path) -> None:
    names = ("a\nb.jpg", "c\r\\n.jpg", "d\\ne.jpg", "f.jpg")
    files = folder_of({name: name.encode() for name in names}, tmp_path / "files")
    for _ in range(2):  # without a memory, and with one
        written = lines(files)
        assert all(line.count("\n") == 1 and line.endswith("\n") for line in written)
        assert written[2] == f"{hashlib.sha256(names[2].encode()).hexdigest()}  {names[2]}\n"
        assert [*manifest.parsed(written)[1]] == [*names]
    record = tmp_path / "images.sha256"
    record.write_text("".join(written), newline="")
    check = ("sha256sum", "-c", "--quiet", record)
    assert run(files.folder, *check).returncode == 0
    (files.folder / names[0]).write_bytes(b"other")
    assert run(files.folder, *check).returncode != 0


def test_the_digest_is_that_of_the_text_and_counts_its_lines(two: Files, tmp_path: Path) -> None:
    (tmp_path / "recorded").write_text("".join(lines(two)))
    expected = hashlib.sha256((tmp_path / "recorded").read_bytes()).hexdigest()
    assert manifest.digest(lines(two)) == (expected, 2)
    assert manifest.digest(manifest.recorded(tmp_path / "recorded")) == (expected, 2)


@pytest.mark.parametrize("place", range(0, 16 + 1 + 64, 5))
def test_a_flipped_byte_of_the_memory_makes_no_file_another(two: Files, place: int) -> None:
    expected, memory = lines(two), two.folder.with_name("memory")
    content = bytearray(memory.read_bytes())
    content[place] ^= 1
    memory.write_bytes(content)
    assert lines(two) == expected


@pytest.mark.parametrize(
    "place", ["a file above it", "a folder in its place", "a file that cannot be replaced"]
)
def test_a_memory_that_cannot_be_written_costs_time_and_nothing_else(
    two: Files, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, memory = lines(two), tmp_path / "else" / "memory"
    if place == "a file above it":
        memory.parent.touch()
    elif place == "a folder in its place":
        memory.mkdir(parents=True)
    else:
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "No")))
    assert list(manifest.lines(two, memory)) == expected
    assert not [*tmp_path.glob("**/.memory*")]


def test_a_disk_that_becomes_full_while_it_is_remembered_costs_time_and_nothing_else(tmp_path: Path) -> None:
    files = folder_of({f"{number:04}": b"" for number in range(400)}, tmp_path / "files")
    script = (
        "import resource, sys\nfrom pathlib import Path\nfrom pipeline import manifest\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "names = sorted(path.name for path in Path(sys.argv[1]).iterdir())\n"
        "files = manifest.Files(Path(sys.argv[1]), tuple(names))\n"
        "print(len(list(manifest.lines(files, Path(sys.argv[2])))))\n"
    )
    done = python(ROOT, "-c", script, files.folder, tmp_path / "memory")
    assert (done.stdout.strip(), done.stderr) == ("400", "")
    assert not [*tmp_path.glob("*memory*")]


@pytest.mark.parametrize("wrong", ["folder", "nothing"])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "images.sha256"
    if wrong == "folder":
        path.mkdir()
    assert refusal(lambda: list(manifest.recorded(path))).startswith(f"{path} cannot be read (")
