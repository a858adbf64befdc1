"""A pipeline of two stages in a folder of its own, whose code the tests change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.project import Project
from tests.support.toy import forget, make_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield make_toy(tmp_path)
    forget()
