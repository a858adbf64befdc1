import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.files import keep, kept, write_whole


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "file", b"one")
    write_whole(tmp_path / "a" / "file", b"two")
    assert (tmp_path / "a" / "file").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_at_any_step_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "file"
    write_whole(file, b"old")

    def fail(*arguments: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(*((os, "fsync", fail) if step == "fsync" else (Path, "replace", fail)))
    with pytest.raises(OSError, match="disk full"):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@given(content=st.binary(min_size=1))
def test_what_is_kept_is_read_as_it_was_and_not_at_all_once_it_was_altered(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.json"
        assert kept(path) is None
        keep(path, content)
        assert kept(path) == content
        for other in (path.read_bytes() + b"x", path.read_bytes()[:-1], content, b""):
            path.write_bytes(other)
            assert kept(path) is None
